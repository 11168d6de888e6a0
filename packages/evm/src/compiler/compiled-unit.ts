import { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { FUNCREF } from '@polyvisor/wasm/types';
import { FRAME_MEMORY } from '../layout.ts';
import { superblockType } from '../runtime/tiers.ts';
import { ENGINE, type LinkTypes, LinkedRuntime } from './linked-runtime.ts';
import { writeSuperblock } from './superblock.ts';
import type { Program } from './program.ts';
import type { Trace } from './trace.ts';

const PAGE_BYTES = 65536;

/** A module with some superblocks of a contract; each instance of the engine has its own instance of it. */
export interface CompiledUnit {
  readonly module: WebAssembly.Module;
  /** Where in the code its superblocks begin. */
  readonly entries: readonly number[];
  /** JUMPDESTs inside, whose visits so far it makes up for. */
  readonly jumpdests: ReadonlySet<number>;
  /** Where the last trace goes on if it became too long; it is visited as often as that one. */
  readonly next: number | undefined;
  readonly instructionCount: number;
}

/** Under which name a superblock is exported. */
export function superblockName(pc: number): string {
  return String(pc);
}

export function compileUnit(
  program: Program,
  traces: readonly Trace[],
  linkTypes: LinkTypes,
): CompiledUnit {
  const m = new ModuleWriter();
  const memory = { initial: FRAME_MEMORY / PAGE_BYTES, maximum: 65536 };
  m.importMemory(ENGINE, 'memory', memory);
  m.importTable(ENGINE, 'table', FUNCREF, { initial: 1 });
  const rt = new LinkedRuntime(m, program.fork, linkTypes);
  const bodies = traces.map((trace) => writeSuperblock(rt, program, trace));
  bodies.forEach((body, i) => {
    const index = m.adopt(superblockType.params, superblockType.results, body);
    m.exportFunction(superblockName(traces[i]!.pc), index);
  });
  const last = traces.at(-1);
  return {
    module: new WebAssembly.Module(m.finish()),
    entries: traces.map(({ pc }) => pc),
    jumpdests: new Set(traces.flatMap(({ jumpdests }) => [...jumpdests])),
    instructionCount: traces.reduce((sum, trace) => sum + trace.instructionCount, 0),
    next: last?.next.kind === 'leave' && !last.loop ? last.next.pc : undefined,
  };
}
