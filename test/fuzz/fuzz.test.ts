import { decodeReproducer, encodeReproducer, replayHost } from '@vesper-gpu/cli';
import { afterEach, expect, it } from 'vitest';
import { NullGpu } from '../hostile/null-gpu.ts';
import { BATCH_EXECUTIONS, DecodeMode } from './decode.ts';
import { FramesMode } from './frames.ts';
import { GuestMode } from './guest-mode.ts';
import { SequenceMode } from './host-mode.ts';
import { frameEnds, minimized } from './minimize.ts';
import type { Finding, Mode, Stream } from './mode.ts';
import { playToNull } from './null-replay.ts';
import { streamOf } from './real-mode.ts';

const SEED = 1;
const serve = () => ({ gpu: new NullGpu().api });

const opened: Mode[] = [];
afterEach(async () => {
  for (const mode of opened.splice(0)) await mode.close?.();
});

type Make = (treatAsFinding?: string) => Mode;

/** Every mode but that of the real backend, which real.test.ts runs; how many executions of each, and a refusal it meets. */
const MODES: [string, Make, number, string][] = [
  ['decode', (reason) => new DecodeMode('decode', SEED, reason), 8 * BATCH_EXECUTIONS, 'bad-enum'],
  ['replies', (reason) => new DecodeMode('replies', SEED, reason), 8 * BATCH_EXECUTIONS, 'bad-enum'],
  ['frames', (reason) => new FramesMode(SEED, serve, reason), 300, 'bad-frame'],
  [
    'null',
    (treatAsFinding) =>
      new SequenceMode({ name: 'null', seed: SEED, serve, bearing: { isReal: false, wildOneIn: 4 }, treatAsFinding }),
    150,
    'bad-object',
  ],
  ['guest', (reason) => new GuestMode(SEED, reason), 200, 'bad-request'],
];

async function campaign(mode: Mode, executions: number): Promise<Finding | undefined> {
  opened.push(mode);
  while (mode.executions < executions) {
    const finding = await mode.run(executions - mode.executions);
    if (finding !== undefined) return finding;
  }
  return undefined;
}

it.each(MODES)('%s finds nothing in a short run', async (_, make, executions) => {
  const mode = make();
  expect(await campaign(mode, executions)).toBeUndefined();
  // Good input and bad: a fuzzer whose every input ends at the first check tests nothing.
  expect(mode.verdicts.size).toBeGreaterThan(4);
});

it.each(MODES)('%s does the same again with the same seed', async (_, make, executions, reason) => {
  const [first, second] = [await campaign(make(reason), executions), await campaign(make(reason), executions)];
  expect(first).toBeDefined();
  expect(second).toEqual(first);
});

it.each(MODES)('%s leaves a file in which the same happens again', async (_, make, executions, reason) => {
  const finding = (await campaign(make(reason), executions))!;
  const reproducer = decodeReproducer(encodeReproducer({ ...finding.stream, note: { what: finding.what } }));
  expect(reproducer.note).toEqual({ what: finding.what });
  const { isContained, message } = await playToNull(reproducer);
  expect(isContained).toBe(true);
  expect(message).toContain(reason);
});

it('plays no host’s bytes to a host', async () => {
  const finding = (await campaign(new GuestMode(SEED, 'bad-request'), 200))!;
  expect(await playToNull({ ...finding.stream, note: {} })).toEqual(await replayHost(finding.stream));
});

it('cuts a stream behind the frame that does the harm', async () => {
  const whole = streamOf(SEED, 0, 2);
  const ends = frameEnds(whole.bytes);
  const harmful = ends[Math.floor(ends.length / 2)]!;
  const crashes = async (stream: Stream): Promise<boolean> => stream.bytes.byteLength >= harmful;
  const short: Stream = { ...whole, bytes: whole.bytes.subarray(0, ends[2]) };
  expect((await minimized([short, whole], crashes)).bytes.byteLength).toBe(harmful);
  expect(await minimized([short, whole], async () => false)).toBe(whole);
});

it.each([
  ['', 'does not begin with a line of JSON'],
  ['hello\n', 'does not begin with a line of JSON'],
  ['{}\n', 'of version 1, but undefined'],
  ['{"vesperReproducer":2}\n', 'of version 1, but 2'],
  ['{"vesperReproducer":1,"from":"nobody","waits":[]}\n', 'a broken header'],
  ['{"vesperReproducer":1,"from":"guest","waits":[[1]]}\n', 'a broken header'],
])('refuses a file that is no reproducer: %j', (text, message) => {
  expect(() => decodeReproducer(Buffer.from(text))).toThrow(message);
});
