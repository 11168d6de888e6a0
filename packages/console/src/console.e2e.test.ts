import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost } from '@polyvisor/host/host';
import { CountingComputer } from '@polyvisor/host/testing/counting-computer';
import type { Host } from '@polyvisor/host/host';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumFlags, findChromium } from './testing/chromium.ts';
import { fillChain } from './testing/token-chain.ts';
import type { TokenChain } from './testing/token-chain.ts';

/** The console in a browser, against a real host with a chain on which things happened. */
const executablePath = findChromium();
if (executablePath === undefined) {
  console.warn('NOT TESTED: the console in a browser. Set POLYVISOR_CHROMIUM to a Chromium.');
}

describe.skipIf(executablePath === undefined)('the console in a browser', () => {
  let directory: string;
  let host: Host;
  let chain: TokenChain;
  let browser: Browser;
  let page: Page;
  /** What the browser complained about: scripts that throw, what the security policy refused. */
  const complaints: string[] = [];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'polyvisor-console-'));
    const consoleDirectory = join(directory, 'console');
    const root = join(import.meta.dirname, '..');
    await build({ root, logLevel: 'warn', build: { outDir: consoleDirectory } });
    host = await createHost({ control: { port: 0, consoleDirectory } });
    const guest = await host.create({ kind: 'evm', name: 'l1', options: { port: 0 } });
    chain = await fillChain(guest.provider);
    browser = await chromium.launch({
      ...(executablePath === undefined ? {} : { executablePath }),
      args: [...chromiumFlags],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(10_000);
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(consoleUrl());
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await host?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const consoleUrl = (): string => host.control?.consoleUrl ?? '';
  const token = (): string => host.control?.token ?? '';
  const button = (name: string) => page.getByRole('button', { name, exact: true });
  const link = (name: string) => page.getByRole('link', { name, exact: true });
  /** Goes to a page by its address, as a bookmark would. */
  const open = async (hash: string): Promise<void> => {
    await page.goto(`${host.control?.url}/${hash}`);
  };
  const see = async (text: string | RegExp): Promise<void> => {
    await page.getByText(text).first().waitFor();
  };

  test('the token leaves the address; the page that is loaded again still knows it', async () => {
    await see('running');
    expect(page.url()).toBe(`${host.control?.url}/#/guests`);
    await page.reload();
    await see('running');
  });

  test('without a token the page asks for it, and takes the URL that was printed', async () => {
    const context = await browser.newContext();
    const stranger = await context.newPage();
    await stranger.goto(`${host.control?.url}/`);
    await stranger.getByRole('textbox', { name: 'URL or token' }).fill('wrong');
    await stranger.getByRole('button', { name: 'Enter' }).click();
    await stranger.getByText('the token is not the one of this start').waitFor();
    await stranger.getByRole('textbox', { name: 'URL or token' }).fill(consoleUrl());
    await stranger.getByRole('button', { name: 'Enter' }).click();
    await stranger.getByText('running').first().waitFor();
    await context.close();
  });

  test('a guest is listed with its state, its head, its endpoint and its charts', async () => {
    await open('#/guests');
    const row = page.getByRole('listitem').filter({ hasText: 'running' });
    await row.getByText('at 5').waitFor();
    await row.getByText(host.guest('l1').endpoints[0]?.url ?? 'none').waitFor();
    await row.getByRole('img', { name: /^CPU, now \d/ }).waitFor();
    expect(await row.locator('canvas').count()).toBe(3);
  });

  test('pausing and resuming shows in the state', async () => {
    await button('pause').click();
    await see('paused');
    expect(host.guest('l1').state.name).toBe('paused');
    await button('resume').click();
    await button('pause').waitFor();
    expect(host.guest('l1').state.name).toBe('running');
  });

  test('from the blocks to a block, to a transaction, to its calls and logs', async () => {
    await link('l1').first().click();
    await link('Blocks').click();
    const numbers = page.locator('tbody tr td:first-child');
    await numbers.getByText('5', { exact: true }).waitFor();
    expect(await numbers.allInnerTexts()).toEqual(['5', '4', '3', '2', '1', '0']);
    await link('4').click();
    await see('transfer(address,uint256)');
    await page.locator('tbody a').first().click();
    await page.waitForURL(`**/transactions/${chain.forwarded}`);
    const calls = page.getByRole('region', { name: 'Call trace' });
    await calls.getByText('CALL', { exact: true }).nth(1).waitFor();
    expect(await calls.getByText('transfer(address,uint256)').count()).toBe(2);
    await calls.getByRole('button', { name: '1 calls below' }).click();
    expect(await calls.getByText('transfer(address,uint256)').count()).toBe(1);
    const logs = page.getByRole('region', { name: 'Logs' });
    expect(await logs.innerText()).toMatch(/Transfer\s+ERC-20[\s\S]*value\s+2/);
  });

  test('a revert says why, in the call where it began and in those that pass it on', async () => {
    await open(`#/guests/l1/transactions/${chain.reverted}`);
    const calls = page.getByRole('region', { name: 'Call trace' });
    const reason = calls.getByText('execution reverted: ds-math-sub-underflow');
    await reason.nth(1).waitFor();
    await see('failed');
  });

  test('a search finds an account, and its storage is read by slot', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type(chain.token);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Contract' }).waitFor();
    // Slot 0 of this token is its total supply.
    await see(`0x${1000n.toString(16).padStart(64, '0')}`);
  });

  test('a search for what is nothing says what can be searched for', async () => {
    await page.getByRole('searchbox', { name: 'Search the chain' }).fill('hello');
    await page.keyboard.press('Enter');
    await see('a block number, a 32-byte hash or an address');
  });

  test('a snapshot is taken, the chain goes on, and is taken back', async () => {
    await open('#/guests/l1/snapshots');
    await see('No snapshots yet');
    await page.getByRole('textbox', { name: 'Name of the snapshot' }).fill('before');
    await button('Take snapshot').click();
    await see('current');
    await host.guest('l1').mine(3);
    await see('at 8');
    await button('Take snapshot').click();
    await see('s2');
    await page.getByRole('group', { name: 'Actions on before' }).getByText('rewind').click();
    await page.locator('header').getByText('at 5').waitFor();
    await page.getByRole('listitem').filter({ hasText: 'before' }).getByText('current').waitFor();
    expect(host.guest('l1').head()).toBe('5');
    expect(host.guest('l1').snapshots.currentId).toBe('s1');
  });

  test('a fork from a snapshot is a guest of its own', async () => {
    await page.getByRole('group', { name: 'Actions on s2' }).getByText('fork').click();
    await page.getByRole('textbox', { name: 'Name of the fork' }).fill('later');
    await button('Fork').click();
    await page.getByRole('heading', { name: 'later' }).waitFor();
    await page.locator('header').getByText('at 8').waitFor();
    expect(host.guest('l1').head()).toBe('5');
    await page.getByRole('main').getByRole('link', { name: 'l1' }).waitFor();
  });

  test('what clients ask is logged as it comes, and can be asked again', async () => {
    await open('#/guests/l1/requests');
    await fetch(host.guest('l1').endpoints[0]?.url ?? '', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}',
    });
    await page.getByRole('searchbox', { name: 'Filter requests' }).fill('chainid');
    await page.locator('summary').getByText('eth_chainId').click();
    await button('Replay').click();
    await page.getByRole('status').getByText('"0x7a69"').waitFor();
    expect(await page.locator('.request').count()).toBe(1);
  });

  test('a new guest’s mistakes are told by their fields, then it is made', async () => {
    await open('#/new');
    await page.getByLabel('Name').fill('l2');
    await page.getByLabel('Chain id').fill('0');
    await button('Create and start').click();
    await page.locator('.field-bad', { hasText: 'Chain id' }).waitFor();
    await page.getByLabel('Chain id').fill('10');
    await button('Create and start').click();
    await page.getByRole('heading', { name: 'l2' }).waitFor();
    expect(Object.fromEntries(host.guest('l2').facts())).toMatchObject({ chain: '10' });
  });

  test('a computer’s terminal shows what it said, and takes what is typed', async () => {
    using computer = new CountingComputer();
    await host.create({ kind: 'linux', name: 'box', options: computer.options });
    await open('#/guests/box');
    await link('Terminal').click();
    const screen = page.locator('.xterm-rows');
    await screen.getByText('ok').waitFor();
    await page.keyboard.type('ab');
    await screen.getByText('a1b2').waitFor();
    await page.screenshot({ path: join(directory, 'terminal.png') });
    await host.guest('box').remove();
    await open('#/guests/l2');
  });

  test('a guest is removed once that is agreed to', async () => {
    await button('remove').click();
    await button('Cancel').click();
    expect(host.guests.has('l2')).toBe(true);
    await button('remove').click();
    await button('Remove').click();
    await page.getByRole('heading', { name: 'Guests' }).waitFor();
    expect(host.guests.has('l2')).toBe(false);
  });

  test('the host tells what it is, what it checked and what it logged', async () => {
    await open('#/host');
    await see(host.instanceId);
    await see('WebAssembly');
    await see("removed guest 'l2'");
  });

  test('no page has the token in a link, or is wider than a phone or a desk', async () => {
    /** Where each page is, and what is on it once it is loaded. */
    const pages = {
      guests: ['#/guests', 'running'],
      overview: ['#/guests/l1', 'Usage and limits'],
      blocks: ['#/guests/l1/blocks', 'Older'],
      block: ['#/guests/l1/blocks/4', 'Transactions (1)'],
      transaction: [`#/guests/l1/transactions/${chain.forwarded}`, 'ERC-20'],
      revert: [`#/guests/l1/transactions/${chain.reverted}`, /ds-math-sub-underflow/],
      account: [`#/guests/l1/accounts/${chain.token}`, 'Storage'],
      snapshots: ['#/guests/l1/snapshots', 'current'],
      requests: ['#/guests/l1/requests', 'eth_chainId'],
      create: ['#/new', 'Create and start'],
      host: ['#/host', "removed guest 'l2'"],
      missing: ['#/nothing', 'There is no page /nothing'],
    } as const;
    const screens = [
      { name: 'desk-light', width: 1280, height: 800, colorScheme: 'light' },
      { name: 'phone-dark', width: 390, height: 844, colorScheme: 'dark' },
    ] as const;
    for (const { name: screen, colorScheme, ...size } of screens) {
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme });
      for (const [name, [hash, text]] of Object.entries(pages)) {
        await open(hash);
        await see(text);
        await page.screenshot({ path: join(directory, `${name}-${screen}.png`) });
        const width = await page.evaluate<number>('document.documentElement.scrollWidth');
        expect(width, `${name} on ${screen}`).toBeLessThanOrEqual(size.width);
        expect(await page.content(), name).not.toContain(token());
      }
    }
  });

  test('the browser had nothing to complain about', () => {
    // The chain id that a test made a mistake with.
    const expected = 'the server responded with a status of 400';
    expect(complaints.filter((text) => !text.includes(expected))).toEqual([]);
  });
});
