// A broker in a process of its own, and its figures. Linux only: it reads /proc.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const LAUNCHER = fileURLToPath(new URL('../../packages/cli/bin/vesper.js', import.meta.url));
/** It tries its sandboxes with real executors, which takes a busy machine a while. */
const START_MS = 90_000;
/** How long, in milliseconds, what is left of guests may take to go. */
const SETTLE_MS = 20_000;

/**
 * `vesper serve` at a Unix socket.
 * @param {readonly string[]} args further arguments
 * @param {(entry: Record<string, unknown>) => void} logged called for each line of its log, at level info
 */
export async function startDaemon(args = [], logged = () => {}) {
  const folder = mkdtempSync(join(tmpdir(), 'vesper-soak-'));
  const address = `unix:${join(folder, 'gpu')}`;
  const child = spawn(process.execPath, [LAUNCHER, 'serve', '--listen', address, '--log-level', 'info', ...args], {
    stdio: ['ignore', 'inherit', 'pipe'],
    // A session of its own, as a service has: the kernel weighs it as one beside those of guests.
    detached: true,
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const state = { isListening: false };
  let partial = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    const lines = (partial + text).split('\n');
    partial = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('{')) {
        console.error(line);
        continue;
      }
      const entry = JSON.parse(line);
      if (String(entry.msg).startsWith('listening at')) state.isListening = true;
      logged(entry);
    }
  });
  const giveUpAt = performance.now() + START_MS;
  while (!state.isListening) {
    if (child.exitCode !== null || performance.now() > giveUpAt) {
      child.kill('SIGTERM');
      throw new Error('the broker does not listen');
    }
    await sleep(20);
  }
  const daemon = {
    address,
    pid: child.pid,
    /** Resident memory, in MiB. */
    rssMiB() {
      const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      return Number(kib) / 1024;
    },
    descriptors: () => readdirSync(`/proc/${child.pid}/fd`).length,
    /** Its processes: one for each guest, and one that waits for the next. */
    children() {
      const text = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim();
      return text === '' ? [] : text.split(/\s+/).map(Number);
    },
    /** Waits until only the processes of `guests` guests and the spare are there, and a moment longer. */
    async settled(guests) {
      const endAt = performance.now() + SETTLE_MS;
      const isSettled = () => guests === undefined || daemon.children().length === guests + 1;
      do await sleep(2000);
      while (!isSettled() && performance.now() < endAt);
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return daemon;
}
