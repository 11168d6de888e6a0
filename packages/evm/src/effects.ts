import { isAtLeast } from './hardfork.ts';
import type { EvmInstance } from './instance.ts';
import { ACCOUNTS, ACCOUNT_SIZE, SLOTS, SLOT_SIZE, account, accountFlag, slot } from './layout.ts';
import type { AccountEffect } from './world.ts';

type Slot = readonly [key: Uint8Array, value: Uint8Array];

/** What the transaction in the engine's memory did to the state: every account that is not as it was. */
export function effectsOf(vm: EvmInstance): AccountEffect[] {
  const storage = changedSlots(vm);
  const effects: AccountEffect[] = [];
  for (let record = ACCOUNTS; record < vm.globals.accountsTop.value; record += ACCOUNT_SIZE) {
    const effect = effectOf(vm, record, storage.get(record) ?? []);
    if (effect) effects.push(effect);
  }
  return effects;
}

function effectOf(
  vm: EvmInstance,
  record: number,
  storage: readonly Slot[],
): AccountEffect | undefined {
  const { view } = vm;
  const flags = vm.flags(record);
  const original = view.getUint32(record + account.originalFlags, true);
  const existed = (original & accountFlag.exists) !== 0;
  if (!(flags & accountFlag.exists) && !existed) return undefined;

  const address = vm.readBytes(record + account.address, 20);
  if (isGone(vm, record, flags)) {
    if (!existed) return undefined;
    return { address, account: undefined, code: undefined, storageCleared: true, storage: [] };
  }
  const balance = vm.balance(record);
  const nonce = vm.nonce(record);
  const isCodeChanged = (flags & accountFlag.codeChanged) !== 0;
  const isChanged =
    !existed ||
    isCodeChanged ||
    storage.length > 0 ||
    balance !== vm.readWord(record + account.originalBalance) ||
    nonce !== view.getBigUint64(record + account.originalNonce, true);
  if (!isChanged) return undefined;
  return {
    address,
    account: { nonce, balance, codeHash: vm.readBytes(record + account.codeHash, 32) },
    code: isCodeChanged ? vm.code(record).slice() : undefined,
    storageCleared: false,
    storage,
  };
}

/** Self-destructed, or, since EIP-161, touched and empty. */
function isGone(vm: EvmInstance, record: number, flags: number): boolean {
  if (flags & accountFlag.destructed) return true;
  const isTouched = (flags & accountFlag.touched) !== 0;
  return isTouched && isAtLeast(vm.fork, 'spuriousDragon') && vm.isEmpty(record);
}

/** Slots that differ from before, by account record. Transient ones are not state. */
function changedSlots(vm: EvmInstance): Map<number, Slot[]> {
  const { view } = vm;
  const changed = new Map<number, Slot[]>();
  for (let record = SLOTS; record < vm.globals.slotsTop.value; record += SLOT_SIZE) {
    const owner = view.getUint32(record + slot.owner, true);
    if (owner & 1 || isUnchanged(view, record)) continue;
    const entry = [
      vm.readBytes(record + slot.key, 32),
      vm.readBytes(record + slot.current, 32),
    ] as const;
    const slots = changed.get(owner);
    if (slots) slots.push(entry);
    else changed.set(owner, [entry]);
  }
  return changed;
}

function isUnchanged(view: DataView, record: number): boolean {
  for (let limb = 0; limb < 32; limb += 8) {
    const before = view.getBigUint64(record + slot.original + limb, true);
    if (before !== view.getBigUint64(record + slot.current + limb, true)) return false;
  }
  return true;
}
