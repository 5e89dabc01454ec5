import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostKinds, startHost, type Host } from '../semantics/fixture/host.ts';
import { runProgram, startProgram } from './program.ts';

/** What compute-and-render.mjs prints. */
const drawn = JSON.stringify({ squares: [0, 1, 4, 9, 65025], left: [255, 128, 0, 255], right: [0, 0, 255, 255] });

describe.each(hostKinds)('an unmodified program, over %s', (kind) => {
  let host: Host;
  beforeAll(async () => {
    host = await startHost(kind);
  });
  afterAll(() => host.stop());

  it('computes and renders, and ends by itself', async () => {
    expect(await runProgram('compute-and-render', host.address)).toEqual({
      status: 0,
      stdout: `${drawn}\n`,
      stderr: '',
    });
  });

  it('runs beside two others', async () => {
    const endings = await Promise.all([1, 2, 3].map(() => runProgram('compute-and-render', host.address)));
    for (const ending of endings) expect(ending).toEqual({ status: 0, stdout: `${drawn}\n`, stderr: '' });
  });

  it('ends when it only has a connection', async () => {
    expect(await runProgram('idle', host.address)).toEqual({ status: 0, stdout: 'idle\n', stderr: '' });
  });

  it('does not end while it awaits a reply', async () => {
    expect(await runProgram('await-map', host.address)).toEqual({ status: 0, stdout: 'mapped 16 bytes\n', stderr: '' });
  });
});

/** What outlive-host.mjs prints last. */
const outlived = {
  reason: 'unknown',
  hasMessage: true,
  mapState: 'unmapped',
  outcomes: {
    map: 'AbortError',
    work: 'resolved',
    scope: 'null',
    pipeline: 'resolved',
    info: 'resolved',
    lateMap: 'AbortError',
    lateWork: 'resolved',
    adapter: 'null',
    device: 'resolved',
  },
};

/** Lets a program give the GPU more work than it can do, then takes the host away. */
async function expectToOutlive(host: Host, killHost: () => unknown): Promise<void> {
  const program = startProgram('outlive-host', host.address);
  await program.printed('ready');
  await killHost();
  const { status, stdout, stderr } = await program.ended;
  expect(stderr).toBe('');
  expect(JSON.parse(stdout.split('\n')[1]!)).toEqual(outlived);
  expect(status).toBe(0);
}

describe.each(hostKinds)('a host that is killed in the midst of work, over %s', (kind) => {
  it('loses the device, settles every promise, and lets the program end by itself', async () => {
    const host = await startHost(kind);
    await expectToOutlive(host, () => host.process.kill('SIGKILL'));
    await host.stop();
  });

  it("does the same when only the guest's own process is killed, and the other guests notice nothing", async () => {
    const host = await startHost(kind);
    await expectToOutlive(host, async () => {
      const [, pid] = await host.logged(/"pid":(\d+)[^\n]*guest 1 connected/);
      process.kill(Number(pid), 'SIGKILL');
    });
    expect(await runProgram('compute-and-render', host.address)).toEqual({
      status: 0,
      stdout: `${drawn}\n`,
      stderr: '',
    });
    await host.stop();
  });
});
