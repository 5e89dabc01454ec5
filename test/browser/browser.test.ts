import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findChromium, INSTALL_CHROMIUM, openChromium, type Chromium } from './chromium.mjs';
import { startGatewayedHost, type GatewayedHost } from './gateway.mjs';
import { servePage, type Page } from './page.mjs';

const executable = findChromium();
if (executable === undefined) console.warn(`What runs in a browser is not tested: ${INSTALL_CHROMIUM}.`);

/** What test/e2e/programs/compute-and-render.mjs prints, in node as well. */
const drawn = JSON.stringify({ squares: [0, 1, 4, 9, 65025], left: [255, 128, 0, 255], right: [0, 0, 255, 255] });

describe.runIf(executable !== undefined).each([
  { where: 'in the page', path: '/' },
  { where: 'in a worker', path: '/worker' },
])('a page in Chromium, its WebSocket $where', ({ path }) => {
  let page: Page;
  let host: GatewayedHost;
  let browser: Chromium;
  beforeAll(async () => {
    page = await servePage(new URL('pages/program.mjs', import.meta.url));
    host = await startGatewayedHost(page.origin);
    // The GPU is not the browser's.
    browser = await openChromium(executable!, `${page.origin}${path}#${host.url}`, ['--disable-gpu']);
  });
  afterAll(async () => {
    await browser?.close();
    await host?.close();
    page?.close();
  });

  it('computes and renders on the GPU of a host, with a program that knows nothing of it', async () => {
    expect(await Promise.race([page.report, browser.failed])).toEqual([drawn]);
  });
});
