import { describe, expect, test } from 'vitest';
import { Assembler } from './assembler.ts';
import { FunctionWriter } from './function-writer.ts';
import { ModuleWriter } from './module-writer.ts';
import { I32 } from './types.ts';

const type = { params: [I32], results: [I32] } as const;

describe('a body written before its function', () => {
  test('may ask for imports as it goes', () => {
    const m = new ModuleWriter();
    const body = new FunctionWriter(0, 0, type, 'twice');
    const a = new Assembler(body);
    const add = m.importFunction('host', 'add', [I32, I32], [I32]);
    a.return(a.call(add, a.param(0), a.param(0)));
    m.exportFunction('twice', m.adopt(type.params, type.results, body));
    const host = { add: (x: number, y: number): number => x + y };
    const instance = new WebAssembly.Instance(new WebAssembly.Module(m.finish()), { host });
    expect((instance.exports['twice'] as (x: number) => number)(21)).toBe(42);
  });
});

describe('a branch that is rarely taken', () => {
  test('is named in the section of hints, by function and place in its body', () => {
    const m = new ModuleWriter();
    m.function(type.params, type.results, 'plain').get(0);
    const f = m.function(type.params, type.results, 'hinted');
    const a = new Assembler(f);
    a.localI32();
    a.rarely(a.param(0), () => a.return(1));
    a.return(0);
    m.exportFunction('hinted', f.index);
    const module = new WebAssembly.Module(m.finish());
    const [hints] = WebAssembly.Module.customSections(module, 'metadata.code.branch_hint');
    // One function, index 1, one hint: 3 bytes of locals and 2 of local.get in front; size 1, unlikely.
    expect([...new Uint8Array(hints!)]).toEqual([1, 1, 1, 5, 1, 0]);
    const run = new WebAssembly.Instance(module).exports['hinted'] as (x: number) => number;
    expect([run(0), run(7)]).toEqual([0, 1]);
  });

  test('leaves no section where there is none', () => {
    const m = new ModuleWriter();
    m.function(type.params, type.results, 'plain').get(0);
    const module = new WebAssembly.Module(m.finish());
    expect(WebAssembly.Module.customSections(module, 'metadata.code.branch_hint')).toEqual([]);
  });
});
