/**
 * All fuzzers, one after the other: see README.md in this folder. `npm run fuzz` runs it on what was built.
 */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createLogger, decodeReproducer, encodeReproducer, replayGuest } from '@vesper-gpu/cli';
import { chooseDriver } from '@vesper-gpu/dawn/driver';
import { NullGpu } from '../hostile/null-gpu.ts';
import { DecodeMode } from './decode.ts';
import { FramesMode } from './frames.ts';
import { GuestMode } from './guest-mode.ts';
import { SequenceMode } from './host-mode.ts';
import { minimized } from './minimize.ts';
import type { Finding, Mode, Stream } from './mode.ts';
import { playToNull } from './null-replay.ts';
import { Random } from './random.ts';
import { randomPolicy } from './random-policy.ts';
import { RealMode, streamOf } from './real-mode.ts';

/** What part of the time each takes. */
const SHARES = { decode: 0.3, replies: 0.1, frames: 0.1, null: 0.15, policy: 0.1, guest: 0.1, real: 0.15 } as const;
type Name = keyof typeof SHARES;
const NAMES = Object.keys(SHARES) as Name[];
const REPORT_EVERY_MS = 60_000;

const usage = `usage: npm run fuzz -- [--seconds N] [--seed S] [--only NAME] [--executions N] [--out DIR] [--driver D]
  --seconds N        how long, in all (default 60)
  --seed S           the same seed gives the same executions (default 1)
  --only NAME        one of ${NAMES.join(', ')}; may be given more than once
  --executions N     so many of each, however long it takes
  --first N          of null, policy and real: the number of the first sequence (default 0)
  --out DIR          where a reproducer goes (default: a new folder for temporary files)
  --driver D         of real: swiftshader (default), system or auto
  --finding REASON   takes refusals for this reason for findings: to see a reproducer made
  --replay FILE      plays a guest's reproducer to a host on the null backend; \`vesper replay\` takes a real one`;

function parse() {
  try {
    return parseArgs({
      options: {
        seconds: { type: 'string', default: '60' },
        seed: { type: 'string', default: '1' },
        only: { type: 'string', multiple: true },
        executions: { type: 'string' },
        first: { type: 'string', default: '0' },
        out: { type: 'string' },
        driver: { type: 'string', default: 'swiftshader' },
        finding: { type: 'string' },
        replay: { type: 'string' },
      },
    }).values;
  } catch (error) {
    return usageError((error as Error).message);
  }
}

function usageError(message: string): never {
  console.error(`fuzz: ${message}\n${usage}`);
  process.exit(2);
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
    usageError(`--${name} wants a whole number`);
  return value;
}

const options = parse();
const seed = whole('seed', options.seed, 0);
const first = whole('first', options.first, 0);
const seconds = whole('seconds', options.seconds, 1);
const most = options.executions === undefined ? Infinity : whole('executions', options.executions, 1);
const driver = options.driver as 'swiftshader' | 'system' | 'auto';

async function open(name: Name): Promise<Mode> {
  const serve = () => ({ gpu: new NullGpu().api });
  switch (name) {
    case 'decode':
    case 'replies':
      return new DecodeMode(name, seed, options.finding);
    case 'frames':
      return new FramesMode(seed, serve, options.finding);
    case 'null':
      return new SequenceMode({
        name: 'null',
        seed,
        first,
        serve,
        bearing: { isReal: false, wildOneIn: 4 },
        treatAsFinding: options.finding,
      });
    case 'policy':
      return new SequenceMode({
        name: 'policy',
        seed,
        first,
        serve: (sessionBegan) => ({ ...serve(), policy: randomPolicy(new Random(seed, 7, sessionBegan)) }),
        bearing: { isReal: false, wildOneIn: 8 },
        isRestricted: true,
        treatAsFinding: options.finding,
      });
    case 'guest':
      return new GuestMode(seed, options.finding);
    case 'real': {
      const { environment } = await chooseDriver({ ...process.env, VESPER_DRIVER: driver });
      return new RealMode({
        seed,
        first,
        environment: { ...process.env, ...environment },
        treatAsFinding: options.finding,
      });
    }
  }
}

/** @returns whether nothing was found. */
async function fuzz(name: Name, milliseconds: number): Promise<boolean> {
  const mode = await open(name);
  const startedMs = performance.now();
  let reportMs = startedMs + REPORT_EVERY_MS;
  let finding: Finding | undefined;
  const isTimeUp = (): boolean => most === Infinity && performance.now() - startedMs >= milliseconds;
  while (finding === undefined && mode.executions < most && !isTimeUp()) {
    finding = await mode.run(most - mode.executions);
    if (performance.now() < reportMs) continue;
    reportMs += REPORT_EVERY_MS;
    report(mode, startedMs);
  }
  report(mode, startedMs);
  await mode.close?.();
  const verdicts = [...mode.verdicts].toSorted((a, b) => b[1] - a[1]).map(([reason, count]) => `${reason} ${count}`);
  console.log(`  ${verdicts.join(', ')}`);
  if (finding !== undefined) await keep(finding);
  return finding === undefined;
}

function report({ name, unit, executions }: Mode, startedMs: number): void {
  const spent = (performance.now() - startedMs) / 1000;
  const rate = Math.round(executions / spent);
  console.log(`${name}: ${executions} ${unit} in ${spent.toFixed(1)} s, ${rate}/s, seed ${seed}`);
}

async function keep(finding: Finding): Promise<void> {
  const { mode, execution, what } = finding;
  const stream = mode === 'real' ? await smaller(finding) : finding.stream;
  const folder = options.out ?? mkdtempSync(join(tmpdir(), 'vesper-fuzz-'));
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${mode}-seed${seed}-${execution}.vesper`);
  writeFileSync(file, encodeReproducer({ ...stream, note: { mode, seed, execution, what } }));
  console.error(`FOUND by ${mode}, execution ${execution}, seed ${seed}: ${what}\nreproducer: ${file}`);
}

/** What crashes a host by itself, where less than the whole session does. */
async function smaller({ stream, execution }: Finding): Promise<Stream> {
  const logger = createLogger('silent');
  const crashes = async (tried: Stream): Promise<boolean> => {
    const { isContained } = await replayGuest({ ...tried, note: {} }, { driver, logger, timeoutMs: 30_000 });
    return !isContained;
  };
  return minimized([streamOf(seed, execution, execution), stream], crashes);
}

async function main(): Promise<number> {
  if (options.replay !== undefined) {
    const { isContained, message } = await playToNull(decodeReproducer(readFileSync(options.replay)));
    console.log(`${isContained ? 'contained' : 'NOT CONTAINED'}: ${message}`);
    return isContained ? 0 : 1;
  }
  // Most of the time would go into stacks that nobody reads.
  Error.stackTraceLimit = 4;
  const names = NAMES.filter((name) => options.only?.includes(name) ?? true);
  const strange = options.only?.filter((name) => !NAMES.includes(name as Name)) ?? [];
  if (strange.length > 0) usageError(`there is no fuzzer ${strange.join(', ')}`);
  const whole = names.reduce((sum, name) => sum + SHARES[name], 0);
  let isClean = true;
  for (const name of names) isClean = (await fuzz(name, (seconds * 1000 * SHARES[name]) / whole)) && isClean;
  return isClean ? 0 : 1;
}

process.exitCode = await main();
