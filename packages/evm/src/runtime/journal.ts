import { I32 } from '@polyvisor/wasm/types';
import {
  JOURNAL_END,
  JOURNAL_ENTRY_SIZE,
  account,
  accountFlag,
  journalKind,
  slot,
} from '../layout.ts';
import { faultCode } from './imports.ts';
import { EMPTY_CODE_HASH, type Runtime, copyWord } from './runtime.ts';

/**
 * The undo log: every change of state appends what was there before; a frame that fails undoes
 * everything above the mark that it started with, newest first.
 */
export function declareJournal(rt: Runtime): void {
  rt.declare('journal', [I32, I32], [I32]);
  rt.declare('revertTo', [I32], []);
}

export function defineJournal(rt: Runtime): void {
  const top = rt.globals.journalTop;

  rt.define('journal', (a, kind, record) => {
    const entry = a.localI32();
    a.set(entry, a.global(top));
    a.when(a.i32.geU(entry, JOURNAL_END - JOURNAL_ENTRY_SIZE), () =>
      a.run(rt.imports.fault, faultCode('journal')),
    );
    a.setGlobal(top, a.i32.add(entry, JOURNAL_ENTRY_SIZE));
    a.store('i32.store', entry, kind!, 0);
    a.store('i32.store', entry, record!, 4);
    a.return(entry);
  });

  rt.define('revertTo', (a, mark) => {
    const entry = a.localI32();
    const kind = a.localI32();
    const record = a.localI32();
    a.set(entry, a.global(top));
    a.while(a.i32.gtU(entry, mark!), () => {
      a.set(entry, a.i32.sub(entry, JOURNAL_ENTRY_SIZE));
      a.set(kind, a.load('i32.load', entry, 0));
      a.set(record, a.load('i32.load', entry, 4));
      const undo: Record<keyof typeof journalKind, () => void> = {
        slotValue: () => copyWord(a, record, slot.current, entry, 8),
        slotWarm: () => void a.store('i32.store', record, 0, slot.isWarm),
        balance: () => copyWord(a, record, account.balance, entry, 8),
        nonce: () => void a.store('i64.store', record, a.load('i64.load', entry, 8), account.nonce),
        flags: () => void a.store('i32.store', record, a.load('i32.load', entry, 8), account.flags),
        // Code is only ever set where none was, so undoing it leaves none.
        code: () => {
          EMPTY_CODE_HASH.forEach((limb, i) =>
            a.store('i64.store', record, limb, account.codeHash + 8 * i),
          );
          a.store('i32.store', record, 0, account.codeSize);
          const kept = ~(accountFlag.hasCode | accountFlag.codeChanged);
          const flags = a.load('i32.load', record, account.flags);
          a.store('i32.store', record, a.i32.and(flags, kept), account.flags);
        },
      };
      for (const [name, code] of Object.entries(journalKind)) {
        a.when(a.i32.eq(kind, code), undo[name as keyof typeof journalKind]);
      }
    });
    a.setGlobal(top, mark!);
  });
}
