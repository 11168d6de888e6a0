/**
 * Physical addresses and interrupts of the board: those of QEMU's `virt`, which drivers and
 * firmware know.
 */
/** Of windows whose size is not told below. */
export const WINDOW_BYTES = 0x1000;
export const SYSCON_BASE = 0x10_0000;
export const RTC_BASE = 0x10_1000;
/** Not on QEMU's board. */
export const GENERATION_ID_BASE = 0x10_2000;
export const ACLINT_BASE = 0x200_0000;
export const ACLINT_BYTES = 0x1_0000;
export const SSWI_BASE = 0x2f0_0000;
export const PLIC_BASE = 0xc00_0000;
export const PLIC_BYTES = 0x60_0000;
export const UART_BASE = 0x1000_0000;
export const UART_BYTES = 0x100;
/** Eight windows of 4 KiB. */
export const VIRTIO_BASE = 0x1000_1000;
export const VIRTIO_STRIDE = 0x1000;
export const VIRTIO_SLOTS = 8;
export const PCI_ECAM_BASE = 0x3000_0000;
export const PCI_ECAM_BYTES = 0x10_0000;
export const PCI_MEMORY_BASE = 0x4000_0000;
export const PCI_MEMORY_BYTES = 0x4000_0000;
export const RAM_BASE = 0x8000_0000;

/** Sources of the interrupt controller. */
export const VIRTIO_INTERRUPT = 1;
export const UART_INTERRUPT = 10;
export const RTC_INTERRUPT = 11;
export const GENERATION_ID_INTERRUPT = 12;
/** Four, for the wires of the PCI bus. */
export const PCI_INTERRUPT = 32;
export const INTERRUPT_SOURCES = 63;
