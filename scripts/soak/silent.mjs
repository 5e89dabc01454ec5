// Soak test: guests that say nothing, or one byte a second, before their hello and behind it. What each costs the broker
// is bounded, and a healthy guest beside them does not notice. Needs a build and Linux (/proc).
//   node scripts/soak/silent.mjs [--guests N] [--admitted N] [--seconds N] [--driver DRIVER]
import { connect as connectSocket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { connect } from '@vesper-gpu/guest';
import { PROTOCOL } from '@vesper-gpu/protocol';
import { openTransport } from '@vesper-gpu/transport';
import { DEFAULT_LIMITS, encodeHello } from '@vesper-gpu/wire';
import { startDaemon } from './daemon.mjs';
import { at, roundTrips } from './round-trips.mjs';

/** The contract: memory of the broker for each such guest, in MiB, and how much slower a healthy one may become. */
const ALLOWED_MIB = 1;
const ALLOWED_RATIO = 1.2;
const ROUNDS = 4;

const { values } = parseArgs({
  options: {
    guests: { type: 'string', default: '100' },
    admitted: { type: 'string', default: '24' },
    seconds: { type: 'string', default: '16' },
    driver: { type: 'string', default: 'auto' },
  },
});
const [guests, admitted, seconds] = [values.guests, values.admitted, values.seconds].map((text) => {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  console.error('silent.mjs: --guests, --admitted and --seconds want whole numbers');
  return process.exit(2);
});

const daemon = await startDaemon(['--driver', values.driver, '--max-guests', String(guests + admitted + 2)]);
try {
  process.exitCode = await soak();
} finally {
  await daemon.stop();
}

/** @returns {Promise<number>} the exit status */
async function soak() {
  const healthy = await connect(await openTransport(daemon.address));
  const adapter = await healthy.gpu.requestAdapter();
  const device = await adapter.requestDevice();
  await roundTrips(device, 2); // code is compiled, caches are filled
  const problems = [];
  // Waits for the hello are bounded by 10 s, so these come again and again.
  problems.push(...(await compare('before their hello', guests, device, () => silentVisitor())));
  problems.push(...(await compare('behind their hello', admitted, device, () => silentGuest())));
  for (const problem of problems) console.error(`silent: ${problem}`);
  await healthy.close();
  return problems.length === 0 ? 0 : 1;
}

/**
 * @param {string} where
 * @param {number} count
 * @param {GPUDevice} device of the healthy guest
 * @param {() => Promise<{ close(): void }>} open one silent guest; every second of them says a byte a second
 * @returns {Promise<string[]>} what was not as it should be
 */
async function compare(where, count, device, open) {
  const [quiet, during] = [[], []];
  await daemon.settled(1);
  const before = daemon.rssMiB();
  let after = before;
  // In turns, so that whatever else this machine does counts for both.
  for (let round = 0; round < ROUNDS; round++) {
    quiet.push(...(await roundTrips(device, seconds / ROUNDS)));
    const silent = [];
    for (let i = 0; i < count; i++) silent.push(await open());
    await daemon.settled(undefined);
    during.push(...(await roundTrips(device, seconds / ROUNDS)));
    after = Math.max(after, daemon.rssMiB());
    for (const guest of silent) guest.close();
    await daemon.settled(1);
  }
  const each = (after - before) / count;
  const ratio = at(during, 0.99) / at(quiet, 0.99);
  console.log(
    `${count} silent guests ${where}: broker ${before.toFixed(1)} -> ${after.toFixed(1)} MiB at most, ${(each * 1024).toFixed(0)} KiB each; ` +
      `healthy p99 ${at(quiet, 0.99).toFixed(2)} -> ${at(during, 0.99).toFixed(2)} ms (${ratio.toFixed(2)}x), ` +
      `median ${at(quiet, 0.5).toFixed(2)} -> ${at(during, 0.5).toFixed(2)} ms, ${quiet.length} and ${during.length} round trips`,
  );
  const problems = [];
  if (each > ALLOWED_MIB) problems.push(`${each.toFixed(2)} MiB of the broker for each guest ${where}`);
  if (ratio > ALLOWED_RATIO)
    problems.push(`p99 of a healthy guest ${ratio.toFixed(2)} times as long, silent ones ${where}`);
  return problems;
}

/** One byte a second of a hello that never ends, or none; opened anew when the broker has had enough. */
async function silentVisitor() {
  const hello = encodeHello({ ...PROTOCOL, agent: 'x'.repeat(10_000), limits: DEFAULT_LIMITS });
  let isOpen = true;
  let socket;
  const open = () => {
    socket = connectSocket(daemon.address.slice('unix:'.length));
    const talks = Math.random() < 0.5;
    let at = 0;
    const timer = setInterval(() => talks && socket.write(hello.subarray(at, ++at)), 1000);
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(timer);
      if (isOpen) open();
    });
    socket.resume();
  };
  open();
  await sleep(2);
  return {
    close() {
      isOpen = false;
      socket.destroy();
    },
  };
}

/** Was let in, and says nothing more, or one byte a second of a frame. */
async function silentGuest() {
  const socket = connectSocket(daemon.address.slice('unix:'.length));
  socket.on('error', () => {});
  socket.write(encodeHello({ ...PROTOCOL, agent: 'silent', limits: DEFAULT_LIMITS }));
  await new Promise((resolve, reject) => {
    socket.once('data', resolve);
    socket.once('close', () => reject(new Error('a silent guest was not let in')));
  });
  socket.resume();
  const frame = Uint8Array.of(0, 0, 16, 0); // 1 MiB
  let at = 0;
  const timer = setInterval(() => socket.write(frame.subarray(at, ++at)), 1000);
  return {
    close() {
      clearInterval(timer);
      socket.destroy();
    },
  };
}
