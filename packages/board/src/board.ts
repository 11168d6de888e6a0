import type { Processor } from '@polyvisor/riscv/contract';
import { HostError } from '@polyvisor/errors/host-error';
import { Aclint, AclintSswi } from './aclint.ts';
import { Bus } from './bus.ts';
import type { Clock, GuestRam, Timed } from './device.ts';
import { GenerationId } from './generation-id.ts';
import {
  ACLINT_BASE,
  GENERATION_ID_BASE,
  GENERATION_ID_INTERRUPT,
  INTERRUPT_SOURCES,
  PCI_ECAM_BASE,
  PCI_INTERRUPT,
  PCI_MEMORY_BASE,
  PCI_MEMORY_BYTES,
  PLIC_BASE,
  RTC_BASE,
  RTC_INTERRUPT,
  SSWI_BASE,
  SYSCON_BASE,
  UART_BASE,
  UART_INTERRUPT,
  VIRTIO_BASE,
  VIRTIO_INTERRUPT,
  VIRTIO_SLOTS,
  VIRTIO_STRIDE,
} from './layout.ts';
import { PCI_INTA, PCI_PINS, PCI_SLOTS, PciHost, pciWire, sharedLine } from './pci.ts';
import { Plic } from './plic.ts';
import { GoldfishRtc } from './rtc.ts';
import type { StateReader, StateWriter, Stateful } from './state.ts';
import { type PowerEnd, Syscon } from './syscon.ts';
import { Uart } from './uart.ts';
import { VirtioCore } from './virtio/core.ts';
import type { VirtioDevice } from './virtio/device.ts';
import { VirtioMmio } from './virtio/mmio.ts';
import { VirtioPci } from './virtio/pci.ts';

export interface BoardOptions {
  readonly clock: Clock;
  readonly ram: GuestRam;
  /** Wall-clock time at tick 0, in nanoseconds since 1970. */
  readonly epochNs: bigint;
  /** Devices on the PCI bus: slots 0, 1, … */
  readonly pciDevices: readonly VirtioDevice[];
  /** Devices in the MMIO slots 0, 1, … */
  readonly mmioDevices: readonly VirtioDevice[];
  readonly transmit: (byte: number) => void;
  readonly end: (how: PowerEnd) => void;
}

const STATE_VERSION = 1;

/**
 * All devices, at their addresses, with their wires. The hart comes last, for it is made with the
 * bus.
 */
export class Board implements Stateful, Timed {
  readonly bus = new Bus();
  readonly uart: Uart;
  readonly generation: GenerationId;
  readonly #timed: readonly Timed[];
  /** In the order of their sections in a saved state. */
  readonly #parts: readonly (readonly [string, Stateful])[];
  #processor: Processor | undefined;

  constructor(options: BoardOptions) {
    const { clock, ram, epochNs, pciDevices, mmioDevices, transmit, end } = options;
    if (pciDevices.length > PCI_SLOTS) throw tooMany(PCI_SLOTS, 'PCI');
    if (mmioDevices.length > VIRTIO_SLOTS) throw tooMany(VIRTIO_SLOTS, 'MMIO');
    const plic = new Plic({
      sourceCount: INTERRUPT_SOURCES,
      contexts: [
        (isHigh) => this.#processor?.setLine('MEIP', isHigh),
        (isHigh) => this.#processor?.setLine('SEIP', isHigh),
      ],
    });
    const aclint = new Aclint({
      clock,
      software: [(isHigh) => this.#processor?.setLine('MSIP', isHigh)],
      timer: [(isHigh) => this.#processor?.setLine('MTIP', isHigh)],
    });
    const rtc = new GoldfishRtc({ clock, line: plic.line(RTC_INTERRUPT), epochNs });
    this.uart = new Uart({ line: plic.line(UART_INTERRUPT), transmit });
    this.bus.attach(SYSCON_BASE, new Syscon(end));
    this.bus.attach(RTC_BASE, rtc);
    this.generation = new GenerationId(plic.line(GENERATION_ID_INTERRUPT));
    this.bus.attach(GENERATION_ID_BASE, this.generation);
    this.bus.attach(ACLINT_BASE, aclint);
    this.bus.attach(SSWI_BASE, new AclintSswi([() => this.#processor?.raiseSoftware()]));
    this.bus.attach(PLIC_BASE, plic);
    this.bus.attach(UART_BASE, this.uart);
    const mmio = mmioDevices.map((device, slot) => {
      const core = new VirtioCore(device, ram, plic.line(VIRTIO_INTERRUPT + slot));
      const window = new VirtioMmio(core);
      this.bus.attach(VIRTIO_BASE + slot * VIRTIO_STRIDE, window);
      return window;
    });
    const host = new PciHost({ base: PCI_MEMORY_BASE, size: PCI_MEMORY_BYTES });
    const taps = Array.from({ length: PCI_PINS }, (_, i) =>
      sharedLine(plic.line(PCI_INTERRUPT + i)),
    );
    const pci = pciDevices.map((device, slot) => {
      const line = taps[pciWire(slot, PCI_INTA)]!();
      const pciFunction = new VirtioPci(line, (wire) => new VirtioCore(device, ram, wire));
      host.plug(slot, pciFunction);
      return pciFunction;
    });
    this.bus.attach(PCI_ECAM_BASE, host.ecam);
    this.bus.attach(PCI_MEMORY_BASE, host.memory);
    this.#timed = [aclint, rtc];
    this.#parts = [
      ['plic', plic],
      ['aclint', aclint],
      ['rtc', rtc],
      ['uart', this.uart],
      ['generation', this.generation],
      ...mmio.map((part, slot) => [`mmio-${slot}-${mmioDevices[slot]!.deviceId}`, part] as const),
      ...pci.map((part, slot) => [`pci-${slot}-${pciDevices[slot]!.deviceId}`, part] as const),
    ];
  }

  connect(processor: Processor): void {
    this.#processor = processor;
  }

  get wakesAt(): number {
    return Math.min(...this.#timed.map((device) => device.wakesAt));
  }

  elapse(): void {
    for (const device of this.#timed) device.elapse();
  }

  saveState(out: StateWriter): void {
    for (const [name, part] of this.#parts) {
      out.section(name, STATE_VERSION, (section) => part.saveState(section));
    }
  }

  loadState(from: StateReader): void {
    for (const [name, part] of this.#parts) {
      from.section(name, STATE_VERSION, (section) => part.loadState(section));
    }
  }
}

function tooMany(count: number, bus: string): HostError {
  return new HostError(
    'too-many-devices',
    `the ${bus} bus has ${count} slots`,
    'use the other bus',
  );
}
