import type { DescriptorChain } from './chain.ts';
import type { VirtioPort } from './device.ts';

/** Serves each chain that the driver has put into a queue, and gives it back. */
export function serveQueue(
  port: VirtioPort,
  index: number,
  serve: (chain: DescriptorChain) => void,
): void {
  const queue = port.queue(index);
  for (let chain = queue.pop(); chain; chain = queue.pop()) {
    serve(chain);
    queue.push(chain);
  }
  port.signal(index);
}

/** Fills the driver's buffers as long as something waits for them. */
export function fillQueue(
  port: VirtioPort,
  index: number,
  isWaiting: () => boolean,
  fill: (chain: DescriptorChain) => void,
): void {
  const queue = port.queue(index);
  while (isWaiting()) {
    const chain = queue.pop();
    if (!chain) break;
    fill(chain);
    queue.push(chain);
  }
  port.signal(index);
}
