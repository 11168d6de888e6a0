/**
 * Orders versions `[epoch:]upstream[-revision]`: negative, zero or positive.
 * @see Debian Policy 5.6.12
 */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [split(a), split(b)];
  return (
    x.epoch - y.epoch ||
    compareParts(x.upstream, y.upstream) ||
    compareParts(x.revision, y.revision)
  );
}

function split(version: string) {
  const colon = version.indexOf(':');
  const rest = version.slice(colon + 1);
  const hyphen = rest.lastIndexOf('-');
  return {
    epoch: colon < 0 ? 0 : Number(version.slice(0, colon)) || 0,
    upstream: hyphen < 0 ? rest : rest.slice(0, hyphen),
    revision: hyphen < 0 ? '' : rest.slice(hyphen + 1),
  };
}

/** By turns what isn't digits, letters before others and `~` before the end; and digits, as a number. */
function compareParts(a: string, b: string): number {
  let [restA, restB] = [a, b];
  while (restA !== '' || restB !== '') {
    const [textA, textB] = [/^\D*/.exec(restA)![0], /^\D*/.exec(restB)![0]];
    for (let at = 0; at < Math.max(textA.length, textB.length); at++) {
      const difference = rank(textA[at]) - rank(textB[at]);
      if (difference !== 0) return difference;
    }
    [restA, restB] = [restA.slice(textA.length), restB.slice(textB.length)];
    const [digitsA, digitsB] = [/^\d*/.exec(restA)![0], /^\d*/.exec(restB)![0]];
    const difference = BigInt(digitsA || 0) - BigInt(digitsB || 0);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
    [restA, restB] = [restA.slice(digitsA.length), restB.slice(digitsB.length)];
  }
  return 0;
}

function rank(character: string | undefined): number {
  if (character === '~') return -1;
  if (character === undefined) return 0;
  const code = character.charCodeAt(0);
  return /[a-z]/i.test(character) ? code : code + 256;
}
