/**
 * Whether valid JSON nests arrays and objects more than `depthMax` deep. Code that walks a value,
 * `JSON.stringify` first, recurses; what is deeper than its stack would be a failure of ours.
 */
export function isDeeperThan(json: string, depthMax: number): boolean {
  // Each level opens and closes: most messages are too short to be deep.
  if (json.length <= 2 * depthMax) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(json, at);
        break;
      case ARRAY_START:
      case OBJECT_START:
        if (++depth > depthMax) return true;
        break;
      case ARRAY_END:
      case OBJECT_END:
        depth--;
        break;
    }
  }
  return false;
}

/** @returns the index of the quote that ends the string that starts at `start` */
function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1);
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end;
}

function isEscaped(json: string, at: number): boolean {
  let first = at;
  while (json.charCodeAt(first - 1) === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ARRAY_START = 0x5b;
const ARRAY_END = 0x5d;
const OBJECT_START = 0x7b;
const OBJECT_END = 0x7d;
