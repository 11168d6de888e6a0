import { HostError } from '@polyvisor/errors/host-error';
import type { Guest } from '@polyvisor/host/guest';
import type { EvmFaces } from '@polyvisor/host/kinds/evm-types';
import { showProgress } from './progress.ts';
import type { Terminal } from './terminal.ts';

/**
 * Deploys Uniswap v2 to a chain. @returns what was deployed, for the banner
 * @throws HostError `demo-needs-packages`
 */
export async function deployDemo(
  chain: Guest & EvmFaces,
  terminal: Terminal,
): Promise<readonly (readonly [name: string, value: string])[]> {
  const { deployUniswap, STEPS } = await import('@polyvisor/example-uniswap-v2/uniswap-v2').catch(
    (error: unknown) => {
      throw new HostError(
        'demo-needs-packages',
        `the demo can't be loaded: ${(error as Error).message}`,
        'npm install viem @uniswap/v2-core @uniswap/v2-periphery',
        { cause: error },
      );
    },
  );
  using progress = showProgress(terminal, STEPS.length);
  const { factory, router, pair } = await deployUniswap(chain.provider, (step) =>
    progress.at(STEPS.indexOf(step), step),
  );
  return [
    ['uniswap', `factory ${factory}`],
    ['', `router  ${router}`],
    ['', `pair    ${pair}`],
  ];
}
