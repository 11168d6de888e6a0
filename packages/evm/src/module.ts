import { ModuleWriter } from '@polyvisor/wasm/module-writer';
import type { LinkTypes } from './compiler/linked-runtime.ts';
import { defineInterpreter } from './interpreter.ts';
import { FRAME_MEMORY } from './layout.ts';
import { declareAccounts, defineAccounts } from './runtime/accounts.ts';
import { declareCalls, defineCalls } from './runtime/calls.ts';
import { declareCreates, defineCreates } from './runtime/creates.ts';
import { declareDigests, defineDigests } from './runtime/digests.ts';
import { declareEnvironment, defineEnvironment } from './runtime/environment.ts';
import { declareFrames, defineFrames } from './runtime/frames.ts';
import { imports } from './runtime/imports.ts';
import { declareJournal, defineJournal } from './runtime/journal.ts';
import { declareMemory, defineMemory } from './runtime/memory.ts';
import { Runtime, type RuntimeOptions } from './runtime/runtime.ts';
import { declareStorage, defineStorage } from './runtime/storage.ts';
import { declareTiers, defineTiers } from './runtime/tiers.ts';

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
  'run',
] as const;
export type ExportedFunction = (typeof exported)[number];

/** The engine of one hardfork. */
export interface EngineModule {
  readonly module: WebAssembly.Module;
  /** What compiled code can be linked to in it. */
  readonly linkTypes: LinkTypes;
}

const engineModules = new Map<string, EngineModule>();

/** The engine as a module, which is made once, however many instances it has. */
export function engineModule(options: RuntimeOptions): EngineModule {
  const key = Object.values(options).join(' ');
  let made = engineModules.get(key);
  if (!made) engineModules.set(key, (made = makeEngineModule(options)));
  return made;
}

function makeEngineModule(options: RuntimeOptions): EngineModule {
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
    [declareDigests, defineDigests],
    [declareEnvironment, defineEnvironment],
    [declareFrames, defineFrames],
    [declareCalls, defineCalls],
    [declareCreates, defineCreates],
    [declareTiers, defineTiers],
  ] as const;
  for (const [declare] of parts) declare(rt);
  for (const [, define] of parts) define(rt);
  defineInterpreter(rt);
  const linkTypes = options.isTiered ? rt.exportLinks() : new Map();
  if (!options.isTiered) for (const name of exported) m.exportFunction(name, rt.function(name));
  return { module: new WebAssembly.Module(m.finish()), linkTypes };
}
