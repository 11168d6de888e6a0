import { type Block, callsInside, jumpsOf } from './region.ts';

/** Where control leaves the region. */
export const LEAVES = -1;
/** The node where control comes in: it goes on at the successor that `next` names. */
export const ROOT = 0;

/** A block, or, without one, a dispatcher: it goes on at its only successor, or at the one that `next` names. */
export interface FlowNode {
  readonly block: Block | undefined;
  readonly successors: number[];
  /** For each successor, what `next` becomes on the way there; undefined: nothing. */
  readonly choices: (number | undefined)[];
  /** Loops that it lies in, the outermost first. */
  readonly loops: ReadonlySet<number>[];
}

/**
 * How control flows in a region, such that each loop is entered at one node only. The root's successors are the
 * entries. Where a loop had several, a dispatcher stands in front of them.
 */
export function flowGraph(blocks: readonly Block[], entries: readonly number[]): FlowNode[] {
  const numbers = new Map(blocks.map(({ offset }, i) => [offset, i + 1]));
  const hasCalls = blocks.some((block) => callsInside(block, (offset) => numbers.has(offset)));
  const nodes: FlowNode[] = [
    makeNode(
      undefined,
      entries.map((offset) => numbers.get(offset)!),
    ),
  ];
  for (const block of blocks) {
    const { targets, isIndirect, isReturn } = jumpsOf(block);
    const known = targets.map((offset) => numbers.get(offset) ?? LEAVES);
    const comesBack = isIndirect && (!isReturn || hasCalls);
    nodes.push(makeNode(block, comesBack ? [ROOT] : known));
  }
  const members = new Set(nodes.keys());
  reduceLoops(nodes, members);
  return nodes;
}

function makeNode(block: Block | undefined, successors: number[]): FlowNode {
  return { block, successors, choices: successors.map(() => undefined), loops: [] };
}

/** Gives each loop among the members one head. */
function reduceLoops(nodes: FlowNode[], members: ReadonlySet<number>): void {
  for (const loop of findLoops(nodes, members)) {
    for (const member of loop) nodes[member]!.loops.push(loop);
    const heads = loop.has(ROOT) ? [ROOT] : splitHeads(nodes, loop, headsOf(nodes, loop));
    const rest = new Set(loop);
    if (heads.length > 1) addDispatcher(nodes, loop, heads);
    else rest.delete(heads[0]!);
    reduceLoops(nodes, rest);
  }
}

/** Members that are reached from outside, the one that most of the loop leads back to first. */
function headsOf(nodes: readonly FlowNode[], loop: ReadonlySet<number>): number[] {
  const heads = new Set<number>();
  const inside = new Map<number, number>();
  for (const [number, { successors }] of nodes.entries()) {
    for (const to of successors) {
      if (!loop.has(to)) continue;
      if (loop.has(number)) inside.set(to, (inside.get(to) ?? 0) + 1);
      else heads.add(to);
    }
  }
  return [...heads].toSorted((a, b) => (inside.get(b) ?? 0) - (inside.get(a) ?? 0) || a - b);
}

/** More are not worth being written twice. */
const COPIED_MAX = 16;

/**
 * Where all other heads do little and lead only to one of them, or out of the loop, as when a loop is entered in its
 * middle, whoever comes from outside passes through copies of them, and the loop has one head.
 * @returns the heads that are left
 */
function splitHeads(
  nodes: FlowNode[],
  loop: ReadonlySet<number>,
  heads: readonly number[],
): readonly number[] {
  if (heads.length < 2) return heads;
  const leadsTo = (main: number) => (head: number) => {
    const { block, successors } = nodes[head]!;
    const isSmall = block !== undefined && block.instructions.length <= COPIED_MAX;
    return head === main || (isSmall && successors.every((to) => to === main || !loop.has(to)));
  };
  const main = heads.find((head) => heads.every(leadsTo(head)));
  if (main === undefined) return heads;
  const count = nodes.length;
  for (const head of heads) {
    if (head === main) continue;
    const { block, successors, choices, loops } = nodes[head]!;
    const copy: FlowNode = {
      block,
      successors: [...successors],
      choices: [...choices],
      loops: loops.filter((one) => one !== loop),
    };
    const number = nodes.push(copy) - 1;
    for (let from = 0; from < count; from++) {
      if (loop.has(from)) continue;
      const ways = nodes[from]!.successors;
      for (const [slot, to] of ways.entries()) if (to === head) ways[slot] = number;
    }
  }
  return [main];
}

/** In front of the heads: all ways in from outside, and those back to the first head, lead through it. */
function addDispatcher(nodes: FlowNode[], loop: ReadonlySet<number>, heads: readonly number[]) {
  const dispatcher = nodes.push(makeNode(undefined, [...heads])) - 1;
  for (let number = 0; number < dispatcher; number++) {
    const { block, successors, choices } = nodes[number]!;
    for (const [slot, to] of successors.entries()) {
      const choice = heads.indexOf(to);
      if (choice < 0 || (loop.has(number) && choice > 0)) continue;
      if (block) {
        successors[slot] = dispatcher;
        choices[slot] = choice;
      } else {
        // A dispatcher says by `next` where it goes, and may set it only then.
        const step: FlowNode = { ...makeNode(undefined, [dispatcher]), choices: [choice] };
        successors[slot] = nodes.push(step) - 1;
      }
    }
  }
}

/** Strongly connected components that hold a cycle. @see Tarjan, "Depth-first search and linear graph algorithms" */
function findLoops(nodes: readonly FlowNode[], members: ReadonlySet<number>): Set<number>[] {
  const loops: Set<number>[] = [];
  const order = new Map<number, number>();
  const lowest = new Map<number, number>();
  const open: number[] = [];
  const isOpen = new Set<number>();
  const visit = (node: number): void => {
    const number = order.size;
    order.set(node, number);
    let low = number;
    open.push(node);
    isOpen.add(node);
    for (const to of nodes[node]!.successors) {
      if (!members.has(to)) continue;
      if (!order.has(to)) visit(to);
      if (isOpen.has(to)) low = Math.min(low, lowest.get(to) ?? order.get(to)!);
    }
    lowest.set(node, low);
    if (low !== number) return;
    const component = open.splice(open.indexOf(node));
    for (const member of component) isOpen.delete(member);
    if (component.length > 1 || nodes[node]!.successors.includes(node)) {
      loops.push(new Set(component));
    }
  };
  for (const node of members) if (!order.has(node)) visit(node);
  return loops;
}
