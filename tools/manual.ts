import { type Hardfork, hardforks } from '@polyvisor/evm/hardfork';
import { type Opcode, opcodeGas, opcodes } from '@polyvisor/evm/opcodes';
import { methodTable } from '@polyvisor/rpc-eth/methods';

/** Reference pages that are written from the tables they describe: `tools/manual.test.ts` keeps them equal. */
export const pages: Readonly<Record<string, () => string>> = {
  'docs/reference/rpc-eth.md': rpcEthPage,
  'docs/reference/evm.md': evmPage,
};

function rpcEthPage(): string {
  const rows = methodTable
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, aliases, summary }) => `| \`${name}\` | ${summary} | ${code(aliases)} |`);
  const names = methodTable.reduce((sum, { aliases }) => sum + 1 + aliases.length, 0);
  return `# JSON-RPC of an EVM guest

${methodTable.length} methods by ${names} names, over HTTP, WebSocket and in process. Any other method is answered with
-32601. Written from \`packages/rpc-eth/src/methods.ts\`.

| method | what it does | also called |
|---|---|---|
${rows.join('\n')}
`;
}

function evmPage(): string {
  const rows = opcodes
    .filter((row): row is Opcode => row !== undefined)
    .map(
      (row) =>
        `| \`${row.code.toString(16).padStart(2, '0')}\` | ${row.name} | ${row.pops} | ${row.pushes} ` +
        `| ${row.since} | ${prices(row)} |`,
    );
  return `# Instructions of the EVM

${rows.length} instructions as the engine has them. Gas is the fixed part, which an instruction's own work comes on top
of, with the hardfork that set it where it changed. Written from \`packages/evm/src/opcodes.ts\`.

| code | name | pops | pushes | since | gas |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
}

/** `50, tangerineWhistle 200`: the first price, and each that differs from the one before. */
function prices(row: Opcode): string {
  const later = hardforks.slice(hardforks.indexOf(row.since));
  const texts: string[] = [];
  let last: number | undefined;
  for (const fork of later as readonly Hardfork[]) {
    const price = opcodeGas(row, fork);
    if (price === last) continue;
    texts.push(last === undefined ? String(price) : `${fork} ${price}`);
    last = price;
  }
  return texts.join(', ');
}

function code(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}
