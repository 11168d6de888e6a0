import { CACHE_BLOCK_BYTES } from '@polyvisor/riscv/cache-block';
import { type TreeNode, cells64 } from './device-tree.ts';
import { TICKS_PER_SECOND } from './device.ts';
import {
  ACLINT_BASE,
  ACLINT_BYTES,
  GENERATION_ID_BASE,
  GENERATION_ID_INTERRUPT,
  INTERRUPT_SOURCES,
  PCI_ECAM_BASE,
  PCI_ECAM_BYTES,
  PCI_INTERRUPT,
  PCI_MEMORY_BASE,
  PCI_MEMORY_BYTES,
  PLIC_BASE,
  PLIC_BYTES,
  RAM_BASE,
  RTC_BASE,
  RTC_INTERRUPT,
  SYSCON_BASE,
  UART_BASE,
  UART_BYTES,
  UART_INTERRUPT,
  VIRTIO_BASE,
  VIRTIO_INTERRUPT,
  VIRTIO_STRIDE,
  WINDOW_BYTES,
} from './layout.ts';
import { PCI_PINS, pciWire } from './pci.ts';
import { SYSCON_POWEROFF, SYSCON_RESET } from './syscon.ts';

export interface BoardTreeOptions {
  readonly ramBytes: number;
  /**
   * Multi-letter and single-letter extensions of the hart, as `riscv,isa-extensions` lists them.
   */
  readonly extensions: readonly string[];
  readonly bootArguments: string;
  /** Physical addresses [start, end). */
  readonly initrd: { readonly start: number; readonly end: number } | undefined;
  /** 32 or 64 bytes with which the kernel seeds its generator before it has a driver for one. */
  readonly rngSeed: Uint8Array | undefined;
  /** Slots of the MMIO bus that have a device. */
  readonly virtioSlots: readonly number[];
}

const CPU_PHANDLE = 1;
const PLIC_PHANDLE = 2;
const SYSCON_PHANDLE = 3;
/** Causes of interrupts. @see RISC-V Privileged ISA 20240411, table 14 */
const MACHINE_SOFTWARE = 3;
const MACHINE_TIMER = 7;
const SUPERVISOR_EXTERNAL = 9;
const MACHINE_EXTERNAL = 11;

/**
 * The board as its kernel is told of it.
 * @see Devicetree Specification 0.4, and the bindings of Linux
 */
export function boardTree(options: BoardTreeOptions): TreeNode {
  return {
    name: '',
    properties: {
      '#address-cells': [2],
      '#size-cells': [2],
      compatible: 'riscv-virtio',
      model: 'polyvisor,board',
    },
    children: [
      chosen(options),
      {
        name: `memory@${RAM_BASE.toString(16)}`,
        properties: { device_type: 'memory', reg: cells64(RAM_BASE, options.ramBytes) },
      },
      cpus(options.extensions),
      {
        name: 'soc',
        properties: {
          '#address-cells': [2],
          '#size-cells': [2],
          compatible: 'simple-bus',
          ranges: true,
        },
        children: [
          interruptController(),
          machineTimer(),
          syscon(),
          device('rtc', RTC_BASE, WINDOW_BYTES, 'google,goldfish-rtc', RTC_INTERRUPT),
          device(
            'vmgenid',
            GENERATION_ID_BASE,
            WINDOW_BYTES,
            'microsoft,vmgenid',
            GENERATION_ID_INTERRUPT,
          ),
          serial(),
          ...options.virtioSlots.map((slot) => {
            const base = VIRTIO_BASE + slot * VIRTIO_STRIDE;
            return device(
              'virtio_mmio',
              base,
              WINDOW_BYTES,
              'virtio,mmio',
              VIRTIO_INTERRUPT + slot,
            );
          }),
          pci(),
        ],
      },
      power('poweroff', SYSCON_POWEROFF),
      power('reboot', SYSCON_RESET),
    ],
  };
}

function chosen({ bootArguments, initrd, rngSeed }: BoardTreeOptions): TreeNode {
  return {
    name: 'chosen',
    properties: {
      bootargs: bootArguments,
      'stdout-path': `/soc/serial@${UART_BASE.toString(16)}`,
      ...(initrd && {
        'linux,initrd-start': cells64(initrd.start),
        'linux,initrd-end': cells64(initrd.end),
      }),
      ...(rngSeed && { 'rng-seed': rngSeed }),
    },
  };
}

function cpus(extensions: readonly string[]): TreeNode {
  const letters = extensions.filter((name) => name.length === 1).join('');
  const words = extensions.filter((name) => name.length > 1).map((name) => `_${name}`);
  return {
    name: 'cpus',
    properties: {
      '#address-cells': [1],
      '#size-cells': [0],
      'timebase-frequency': [TICKS_PER_SECOND],
    },
    children: [
      {
        name: 'cpu@0',
        properties: {
          device_type: 'cpu',
          reg: [0],
          status: 'okay',
          compatible: 'riscv',
          'riscv,isa': `rv64${letters}${words.join('')}`,
          'riscv,isa-base': 'rv64i',
          'riscv,isa-extensions': extensions,
          'riscv,cbom-block-size': [CACHE_BLOCK_BYTES],
          'riscv,cboz-block-size': [CACHE_BLOCK_BYTES],
          'mmu-type': 'riscv,sv48',
        },
        children: [
          {
            name: 'interrupt-controller',
            properties: {
              '#interrupt-cells': [1],
              'interrupt-controller': true,
              compatible: 'riscv,cpu-intc',
              phandle: [CPU_PHANDLE],
            },
          },
        ],
      },
    ],
  };
}

function interruptController(): TreeNode {
  return {
    name: `interrupt-controller@${PLIC_BASE.toString(16)}`,
    properties: {
      compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
      reg: cells64(PLIC_BASE, PLIC_BYTES),
      // Context 0 is the hart's machine mode, context 1 its supervisor mode.
      'interrupts-extended': [CPU_PHANDLE, MACHINE_EXTERNAL, CPU_PHANDLE, SUPERVISOR_EXTERNAL],
      'interrupt-controller': true,
      '#interrupt-cells': [1],
      '#address-cells': [0],
      'riscv,ndev': [INTERRUPT_SOURCES],
      phandle: [PLIC_PHANDLE],
    },
  };
}

/** For firmware of the guest's own; a supervisor has its timer from the hart. */
function machineTimer(): TreeNode {
  return {
    name: `clint@${ACLINT_BASE.toString(16)}`,
    properties: {
      compatible: ['sifive,clint0', 'riscv,clint0'],
      reg: cells64(ACLINT_BASE, ACLINT_BYTES),
      'interrupts-extended': [CPU_PHANDLE, MACHINE_SOFTWARE, CPU_PHANDLE, MACHINE_TIMER],
    },
  };
}

function device(
  kind: string,
  base: number,
  size: number,
  compatible: string,
  interrupt: number,
): TreeNode {
  return {
    name: `${kind}@${base.toString(16)}`,
    properties: {
      compatible,
      reg: cells64(base, size),
      interrupts: [interrupt],
      'interrupt-parent': [PLIC_PHANDLE],
    },
  };
}

function serial(): TreeNode {
  const node = device('serial', UART_BASE, UART_BYTES, 'ns16550a', UART_INTERRUPT);
  return { ...node, properties: { ...node.properties, 'clock-frequency': [3_686_400] } };
}

function syscon(): TreeNode {
  return {
    name: `test@${SYSCON_BASE.toString(16)}`,
    properties: {
      compatible: ['sifive,test1', 'sifive,test0', 'syscon'],
      reg: cells64(SYSCON_BASE, WINDOW_BYTES),
      phandle: [SYSCON_PHANDLE],
    },
  };
}

function power(what: 'poweroff' | 'reboot', value: number): TreeNode {
  return {
    name: what,
    properties: {
      compatible: `syscon-${what}`,
      regmap: [SYSCON_PHANDLE],
      offset: [0],
      value: [value],
    },
  };
}

/**
 * @see IEEE 1275 PCI binding, and "PCI Bus Binding to Open Firmware", section 2.2.1 for the first
 * cell
 */
const PCI_MEMORY_32 = 0x0200_0000;
const DEVICE_SHIFT = 11;

function pci(): TreeNode {
  const base = PCI_MEMORY_BASE;
  return {
    name: `pci@${PCI_ECAM_BASE.toString(16)}`,
    properties: {
      compatible: 'pci-host-ecam-generic',
      device_type: 'pci',
      reg: cells64(PCI_ECAM_BASE, PCI_ECAM_BYTES),
      'bus-range': [0, 0],
      '#address-cells': [3],
      '#size-cells': [2],
      '#interrupt-cells': [1],
      ranges: [PCI_MEMORY_32, ...cells64(base, base, PCI_MEMORY_BYTES)],
      'dma-coherent': true,
      // Device modulo four and pin tell the wire.
      'interrupt-map-mask': [(PCI_PINS - 1) << DEVICE_SHIFT, 0, 0, 7],
      'interrupt-map': interruptMap(),
    },
  };
}

function interruptMap(): number[] {
  const entries: number[] = [];
  for (let slot = 0; slot < PCI_PINS; slot++) {
    for (let pin = 1; pin <= PCI_PINS; pin++) {
      const interrupt = PCI_INTERRUPT + pciWire(slot, pin);
      entries.push(slot << DEVICE_SHIFT, 0, 0, pin, PLIC_PHANDLE, interrupt);
    }
  }
  return entries;
}
