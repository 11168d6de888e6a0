/** What a kind of guest counts its work in. */
export function workUnits(kind: string): { readonly name: string; readonly rate: string } {
  return kind === 'evm'
    ? { name: 'gas', rate: 'Gas/s' }
    : { name: 'instructions', rate: 'Instructions/s' };
}
