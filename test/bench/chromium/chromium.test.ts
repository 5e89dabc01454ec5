import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { findChromium } from '../../browser/chromium.mjs';

const program = fileURLToPath(new URL('main.mjs', import.meta.url));
const run = promisify(execFile);

interface Row {
  readonly metric: string;
  readonly anchor: { readonly name: string };
  readonly ok: boolean | null;
}

it('says what to install where there is no Chromium', async () => {
  const running = run(process.execPath, [program], { env: { PATH: '/nowhere' } });
  await expect(running).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /^Chromium was not found: install it .*apt-get install --no-install-recommends chromium/,
    ),
  });
});

/** Times depend on the machine and on what else it does: only the form is looked at. */
it.runIf(findChromium())(
  'compares each call with that of Chromium',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vesper-chromium-bench-test-'));
    try {
      const file = join(folder, 'bench.json');
      const { stdout } = await run(process.execPath, [program, '--quick', '--json', file], { timeout: 170_000 });
      const { rows, environment } = JSON.parse(await readFile(file, 'utf8')) as { rows: Row[]; environment: object };
      const own = rows.filter(({ anchor }) => anchor.name === "Chromium's own").map(({ metric }) => metric);
      for (const call of ['draw', 'setBindGroup + 1 dynamic offset', 'dispatchWorkgroups', 'writeBuffer 256 B']) {
        expect(own).toContain(`in Chromium: ${call}`);
      }
      expect(rows.filter(({ ok }) => ok !== null).map(({ metric }) => metric)).toContain('in Chromium: draw');
      expect(environment).toMatchObject({
        chromium: { userAgent: expect.stringContaining('Chrome/') },
        effort: 'quick',
      });
      for (const metric of own) expect(stdout).toContain(metric);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
  180_000,
);
