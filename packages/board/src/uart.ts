import type { InterruptLine, MmioDevice } from './device.ts';
import { UART_BYTES } from './layout.ts';
import type { StateReader, StateWriter, Stateful } from './state.ts';

/** @see National Semiconductor PC16550D, "Registers" (table II), and section 8 */
const DATA = 0;
const INTERRUPT_ENABLE = 1;
const INTERRUPT_IDENTITY = 2;
const LINE_CONTROL = 3;
const MODEM_CONTROL = 4;
const LINE_STATUS = 5;
const MODEM_STATUS = 6;
const SCRATCH = 7;

/** Interrupt enable. */
const ENABLE_RECEIVED = 1;
const ENABLE_EMPTY = 2;
const ENABLE_MODEM = 8;
/** Interrupt identity, the highest priority first. */
const IDENTITY_RECEIVED = 0x4;
const IDENTITY_TIMEOUT = 0xc;
const IDENTITY_EMPTY = 0x2;
const IDENTITY_MODEM = 0x0;
const IDENTITY_NONE = 0x1;
const IDENTITY_FIFOS = 0xc0;
/** FIFO control. */
const FIFO_ENABLE = 1;
const FIFO_CLEAR_RECEIVED = 2;
/** Line control. */
const DIVISOR_ACCESS = 0x80;
/** Line status. */
const DATA_READY = 1;
/** The transmitter is never behind: holding register and shift register are always empty. */
const TRANSMITTER_EMPTY = 0x60;
/** Modem control. */
const LOOPBACK = 0x10;
/** Modem status of a cable that is plugged in: carrier, data set ready, clear to send. */
const MODEM_READY = 0xb0;

/** Bytes until the receiver interrupts, by FIFO control bits 7 and 6. */
const TRIGGERS: readonly number[] = [1, 4, 8, 14];

export interface UartOptions {
  readonly line: InterruptLine;
  /** Takes what the guest writes, a byte a call. */
  readonly transmit: (byte: number) => void;
  /** Bytes that may wait for the guest; the FIFO of the chip, 16, is the front of that queue. */
  readonly inputBytesMax?: number;
}

export const UART_INPUT_BYTES_MAX = 65_536;

/**
 * A serial port that is as fast as the guest writes: 16550A with its FIFOs. Registers are a byte
 * apart.
 */
export class Uart implements MmioDevice, Stateful {
  readonly size = UART_BYTES;
  readonly #line: InterruptLine;
  readonly #transmit: (byte: number) => void;
  readonly #inputBytesMax: number;
  #input: number[] = [];
  #interruptEnable = 0;
  #fifoControl = 0;
  #lineControl = 0;
  #modemControl = 0;
  #modemDelta = 0;
  #scratch = 0;
  #divisor = 0;
  /** The transmitter has become empty, and the guest was not told yet. */
  #isEmptyNews = false;

  constructor({ line, transmit, inputBytesMax = UART_INPUT_BYTES_MAX }: UartOptions) {
    this.#line = line;
    this.#transmit = transmit;
    this.#inputBytesMax = inputBytesMax;
  }

  /** Bytes for the guest to read. @returns how many of them there was room for */
  receive(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.#inputBytesMax - this.#input.length);
    for (let i = 0; i < count; i++) this.#input.push(bytes[i]!);
    this.#update();
    return count;
  }

  /** Takes bytes that the guest has not read, as firmware that reads past the driver. */
  takeInput(lengthMax: number): Uint8Array {
    const taken = Uint8Array.from(this.#input.splice(0, lengthMax));
    this.#update();
    return taken;
  }

  load(offset: number): number {
    const isDivisor = (this.#lineControl & DIVISOR_ACCESS) !== 0;
    switch (offset) {
      case DATA:
        return isDivisor ? this.#divisor & 0xff : this.#read();
      case INTERRUPT_ENABLE:
        return isDivisor ? this.#divisor >>> 8 : this.#interruptEnable;
      case INTERRUPT_IDENTITY:
        return this.#identify();
      case LINE_CONTROL:
        return this.#lineControl;
      case MODEM_CONTROL:
        return this.#modemControl;
      case LINE_STATUS:
        return TRANSMITTER_EMPTY | (this.#input.length > 0 ? DATA_READY : 0);
      case MODEM_STATUS:
        return this.#readModemStatus();
      case SCRATCH:
        return this.#scratch;
      default:
        return 0;
    }
  }

  store(offset: number, _size: 1 | 2 | 4 | 8, value: number | bigint): void {
    const byte = Number(BigInt(value) & 0xffn);
    const isDivisor = (this.#lineControl & DIVISOR_ACCESS) !== 0;
    switch (offset) {
      case DATA:
        if (isDivisor) this.#divisor = (this.#divisor & 0xff00) | byte;
        else this.#write(byte);
        break;
      case INTERRUPT_ENABLE:
        if (isDivisor) this.#divisor = (this.#divisor & 0xff) | (byte << 8);
        else this.#enable(byte & 0xf);
        break;
      case INTERRUPT_IDENTITY:
        this.#controlFifo(byte);
        break;
      case LINE_CONTROL:
        this.#lineControl = byte;
        break;
      case MODEM_CONTROL:
        this.#controlModem(byte & 0x1f);
        break;
      case SCRATCH:
        this.#scratch = byte;
        break;
    }
    this.#update();
  }

  saveState(out: StateWriter): void {
    out.bytes(Uint8Array.from(this.#input));
    out.u32(this.#interruptEnable).u32(this.#fifoControl).u32(this.#lineControl);
    out.u32(this.#modemControl).u32(this.#modemDelta).u32(this.#scratch).u32(this.#divisor);
    out.flag(this.#isEmptyNews);
  }

  loadState(from: StateReader): void {
    this.#input = Array.from(from.bytes(this.#inputBytesMax));
    this.#interruptEnable = from.u32(0xf);
    this.#fifoControl = from.u32(0xff);
    this.#lineControl = from.u32(0xff);
    this.#modemControl = from.u32(0x1f);
    this.#modemDelta = from.u32(0xf);
    this.#scratch = from.u32(0xff);
    this.#divisor = from.u32(0xffff);
    this.#isEmptyNews = from.flag();
    this.#update();
  }

  #read(): number {
    const byte = this.#input.shift() ?? 0;
    this.#update();
    return byte;
  }

  #write(byte: number): void {
    this.#isEmptyNews = true;
    if ((this.#modemControl & LOOPBACK) === 0) this.#transmit(byte);
    else if (this.#input.length < this.#inputBytesMax) this.#input.push(byte);
  }

  #enable(bits: number): void {
    // Enabling the interrupt of an empty transmitter raises it.
    const isNew = (bits & ENABLE_EMPTY) !== 0 && (this.#interruptEnable & ENABLE_EMPTY) === 0;
    this.#isEmptyNews ||= isNew;
    this.#interruptEnable = bits;
  }

  #controlFifo(byte: number): void {
    const isSwitched = ((this.#fifoControl ^ byte) & FIFO_ENABLE) !== 0;
    if (isSwitched || (byte & FIFO_CLEAR_RECEIVED) !== 0) this.#input = [];
    this.#fifoControl = byte & (0xc0 | FIFO_ENABLE);
  }

  #controlModem(byte: number): void {
    const before = this.#modemStatus();
    this.#modemControl = byte;
    // Bits 4 to 7 that changed are told in bits 0 to 3.
    this.#modemDelta |= (before ^ this.#modemStatus()) >>> 4;
  }

  /**
   * In loopback the four outputs are wired to the four inputs: DTR-DSR, RTS-CTS, OUT1-RI, OUT2-DCD.
   */
  #modemStatus(): number {
    const control = this.#modemControl;
    if ((control & LOOPBACK) === 0) return MODEM_READY;
    return (
      ((control & 1) << 5) | ((control & 2) << 3) | ((control & 4) << 4) | ((control & 8) << 4)
    );
  }

  #readModemStatus(): number {
    const status = this.#modemStatus() | this.#modemDelta;
    this.#modemDelta = 0;
    this.#update();
    return status;
  }

  /** Reading the identity takes note of an empty transmitter. */
  #identify(): number {
    const identity = this.#identity();
    if (identity === IDENTITY_EMPTY) {
      this.#isEmptyNews = false;
      this.#update();
    }
    return identity | ((this.#fifoControl & FIFO_ENABLE) !== 0 ? IDENTITY_FIFOS : 0);
  }

  #identity(): number {
    const enabled = this.#interruptEnable;
    if ((enabled & ENABLE_RECEIVED) !== 0 && this.#input.length > 0) {
      // The line is quiet at once behind the last byte, so the time-out of a FIFO below its trigger
      // is now.
      const trigger = this.#fifoControl & FIFO_ENABLE ? TRIGGERS[this.#fifoControl >>> 6]! : 1;
      return this.#input.length >= trigger ? IDENTITY_RECEIVED : IDENTITY_TIMEOUT;
    }
    if ((enabled & ENABLE_EMPTY) !== 0 && this.#isEmptyNews) return IDENTITY_EMPTY;
    if ((enabled & ENABLE_MODEM) !== 0 && this.#modemDelta !== 0) return IDENTITY_MODEM;
    return IDENTITY_NONE;
  }

  #update(): void {
    this.#line(this.#identity() !== IDENTITY_NONE);
  }
}
