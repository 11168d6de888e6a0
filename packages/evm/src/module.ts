import { ModuleWriter } from '@polyvisor/wasm/module-writer';
import { emitInterpreter } from './interpreter.ts';
import { FRAME_MEMORY } from './layout.ts';
import { declareAccounts, defineAccounts } from './runtime/accounts.ts';
import { declareCalls, defineCalls } from './runtime/calls.ts';
import { declareCreates, defineCreates } from './runtime/creates.ts';
import { declareEnvironment, defineEnvironment } from './runtime/environment.ts';
import { declareFrames, defineFrames } from './runtime/frames.ts';
import { imports } from './runtime/imports.ts';
import { declareJournal, defineJournal } from './runtime/journal.ts';
import { declareMemory, defineMemory } from './runtime/memory.ts';
import { Runtime, type RuntimeOptions } from './runtime/runtime.ts';
import { declareStorage, defineStorage } from './runtime/storage.ts';

const PAGE_BYTES = 65536;

/** Runtime functions that the TypeScript side calls. */
const exported = [
  'findAccount',
  'findSlot',
  'setFlags',
  'findJumpdests',
  'openFrame',
  'startCall',
  'startCreate',
  'endFrame',
  'setNonce',
  'journal',
] as const;
export type ExportedFunction = (typeof exported)[number] | 'run';

/** Writes the engine of one hardfork as a WebAssembly module. */
export function writeModule(options: RuntimeOptions): Uint8Array<ArrayBuffer> {
  const m = new ModuleWriter();
  const imported = Object.fromEntries(
    Object.entries(imports).map(([name, type]) => [
      name,
      m.importFunction('host', name, type.params, type.results),
    ]),
  ) as Runtime['imports'];
  m.exportMemory('memory', m.memory({ initial: FRAME_MEMORY / PAGE_BYTES, maximum: 65536 }));
  const rt = new Runtime(m, options, imported);
  const parts = [
    [declareJournal, defineJournal],
    [declareAccounts, defineAccounts],
    [declareStorage, defineStorage],
    [declareMemory, defineMemory],
    [declareEnvironment, defineEnvironment],
    [declareFrames, defineFrames],
    [declareCalls, defineCalls],
    [declareCreates, defineCreates],
  ] as const;
  for (const [declare] of parts) declare(rt);
  for (const [, define] of parts) define(rt);
  m.exportFunction('run', emitInterpreter(rt).index);
  for (const name of exported) m.exportFunction(name, rt.function(name));
  return m.finish();
}
