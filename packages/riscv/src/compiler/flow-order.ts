import { type FlowNode, ROOT } from './flow-graph.ts';

/** In which order a graph's nodes are written, and what labels they need. */
export interface FlowOrder {
  /** By node, its place in reverse postorder; undefined for those that nothing leads to. */
  readonly places: readonly (number | undefined)[];
  /** By node: whether an edge leads back to it. */
  readonly isLoop: readonly boolean[];
  /** By node: whether more than one edge leads on to it, or one that needs a label. */
  readonly isMerge: readonly boolean[];
  /** By node: the merges that it is the immediate dominator of, in order. */
  readonly merges: readonly (readonly number[])[];
  /** By node: the most steps from there on, until the region is left or a node of `isChecked` is reached. */
  readonly steps: readonly number[];
  /** By node: blocks where the steps that are left are compared: each way around a loop has one. */
  readonly isChecked: readonly boolean[];
}

/** @see Ramsey, "Beyond Relooper", ICFP 2022 */
export function flowOrder(nodes: readonly FlowNode[]): FlowOrder {
  const order = reversePostorder(nodes);
  const places: (number | undefined)[] = nodes.map(() => undefined);
  for (const [place, node] of order.entries()) places[node] = place;
  const isLoop = nodes.map(() => false);
  const onward = nodes.map(() => 0);
  const predecessors: number[][] = nodes.map(() => []);
  for (const node of order) {
    const { block, successors } = nodes[node]!;
    for (const to of successors) {
      if (to < 0) continue;
      predecessors[to]!.push(node);
      if (places[to]! <= places[node]!) isLoop[to] = true;
      else onward[to]! += !block && successors.length > 1 ? 2 : 1;
    }
  }
  const isMerge = onward.map((count) => count > 1);
  const merges: number[][] = nodes.map(() => []);
  const dominators = immediateDominators(order, places, predecessors);
  for (const node of order) {
    if (node !== ROOT && isMerge[node]) merges[dominators[node]!]!.push(node);
  }
  const isChecked = checkedNodes(nodes, order, isLoop);
  return { places, isLoop, isMerge, merges, isChecked, steps: countSteps(nodes, order, isChecked) };
}

function reversePostorder(nodes: readonly FlowNode[]): number[] {
  const seen = new Set<number>();
  const order: number[] = [];
  const visit = (node: number): void => {
    seen.add(node);
    for (const to of nodes[node]!.successors) if (to >= 0 && !seen.has(to)) visit(to);
    order.push(node);
  };
  visit(ROOT);
  return order.toReversed();
}

/** @see Cooper, Harvey and Kennedy, "A simple, fast dominance algorithm" */
function immediateDominators(
  order: readonly number[],
  places: readonly (number | undefined)[],
  predecessors: readonly (readonly number[])[],
): readonly (number | undefined)[] {
  const dominators: (number | undefined)[] = predecessors.map(() => undefined);
  dominators[ROOT] = ROOT;
  const common = (first: number, second: number): number => {
    let [a, b] = [first, second];
    while (a !== b) {
      while (places[a]! > places[b]!) a = dominators[a]!;
      while (places[b]! > places[a]!) b = dominators[b]!;
    }
    return a;
  };
  for (let hasChanged = true; hasChanged;) {
    hasChanged = false;
    for (const node of order) {
      if (node === ROOT) continue;
      let dominator: number | undefined;
      for (const from of predecessors[node]!) {
        if (dominators[from] === undefined) continue;
        dominator = dominator === undefined ? from : common(from, dominator);
      }
      if (dominators[node] === dominator) continue;
      dominators[node] = dominator;
      hasChanged = true;
    }
  }
  return dominators;
}

/** Heads of loops, or, where that is a dispatcher, what it leads to. Who goes back to the root looks for itself. */
function checkedNodes(
  nodes: readonly FlowNode[],
  order: readonly number[],
  isLoop: readonly boolean[],
): boolean[] {
  const isChecked = nodes.map(() => false);
  const check = (node: number): void => {
    const { block, successors } = nodes[node]!;
    if (block) isChecked[node] = true;
    else for (const to of successors) check(to);
  };
  for (const node of order) if (isLoop[node] && node !== ROOT) check(node);
  return isChecked;
}

function countSteps(
  nodes: readonly FlowNode[],
  order: readonly number[],
  isChecked: readonly boolean[],
): number[] {
  const steps: (number | undefined)[] = nodes.map(() => undefined);
  const count = (node: number): number => {
    const { block, successors } = nodes[node]!;
    let most = 0;
    for (const to of successors) {
      if (to > ROOT && !isChecked[to]) most = Math.max(most, (steps[to] ??= count(to)));
    }
    return most + (block?.instructions.length ?? 0);
  };
  for (const node of order) if (isChecked[node]) steps[node] ??= count(node);
  // Control may come in at any of the entries.
  const entries = nodes[ROOT]!.successors.map((node) => (steps[node] ??= count(node)));
  steps[ROOT] = Math.max(...entries);
  return steps.map((most) => most ?? 0);
}
