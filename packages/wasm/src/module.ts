import type { Instruction } from './instruction-codec.ts';
import type { FunctionType, Limits, ValueType } from './types.ts';

/** A module as it was read. Indexes count imports first. @see Core Specification 3.0, section 2.5 "Modules" */
export interface WasmModule {
  readonly types: readonly FunctionType[];
  readonly imports: readonly Import[];
  readonly functions: readonly DefinedFunction[];
  readonly tables: readonly TableType[];
  readonly memories: readonly Limits[];
  readonly globals: readonly DefinedGlobal[];
  readonly exports: readonly Export[];
  readonly start: number | undefined;
  readonly elements: readonly ElementSegment[];
  /** Number of data segments as announced in front of the code; undefined if not. */
  readonly dataCount: number | undefined;
  readonly data: readonly DataSegment[];
  readonly customs: readonly CustomSection[];
}

export type ExternalKind = 'function' | 'table' | 'memory' | 'global';

export type ImportType =
  | { readonly kind: 'function'; readonly typeIndex: number }
  | { readonly kind: 'table'; readonly table: TableType }
  | { readonly kind: 'memory'; readonly limits: Limits }
  | { readonly kind: 'global'; readonly global: GlobalType };

export interface Import {
  readonly module: string;
  readonly name: string;
  readonly type: ImportType;
}

export interface TableType {
  readonly type: ValueType;
  readonly limits: Limits;
}

export interface GlobalType {
  readonly type: ValueType;
  readonly isMutable: boolean;
}

/** Instructions without the closing `end`. */
export type ConstantExpression = readonly Instruction[];

export interface DefinedGlobal extends GlobalType {
  readonly value: ConstantExpression;
}

export interface Export {
  readonly name: string;
  readonly kind: ExternalKind;
  readonly index: number;
}

export interface DefinedFunction {
  readonly typeIndex: number;
  /** Runs of locals of one type, without the parameters. */
  readonly locals: readonly { readonly count: number; readonly type: ValueType }[];
  /** Place of the instructions, closing `end` included, in the module's bytes. */
  readonly start: number;
  readonly end: number;
}

/** `passive`: for `init` instructions; `declared`: only makes functions known to `ref.func`. */
export type ElementMode =
  | { readonly kind: 'active'; readonly table: number; readonly offset: ConstantExpression }
  | { readonly kind: 'passive' | 'declared' };

export interface ElementSegment {
  readonly type: ValueType;
  readonly mode: ElementMode;
  readonly items: readonly ConstantExpression[];
}

export interface DataSegment {
  /** Undefined if passive. */
  readonly place: { readonly memory: number; readonly offset: ConstantExpression } | undefined;
  readonly bytes: Uint8Array;
}

export interface CustomSection {
  readonly name: string;
  readonly bytes: Uint8Array;
}
