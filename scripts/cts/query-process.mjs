import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {'pass' | 'warn' | 'skip' | 'fail' | 'crash' | 'timeout' | 'notrun'} Status */
/** @typedef {{ status: Status, ms: number, reason: string }} CaseResult */

const PROGRAM = fileURLToPath(new URL('run-cases.mjs', import.meta.url));
const POLL_MS = 250;
/** Until the first case begins, a process may take this long: it compiles nothing, but it expands all queries. */
const START_SECONDS = 120;

/** A query that the CTS cannot expand. */
export class QueryError extends Error {
  name = 'QueryError';
}

/**
 * Runs queries in a child process. When a case takes the process with it, or takes too long, the rest goes on in a new one.
 *
 * @param {object} job
 * @param {string} job.cts folder of the checkout
 * @param {readonly string[]} job.queries
 * @param {number} job.sample one case in so many
 * @param {number} job.caseSeconds limit of a case
 * @param {string | undefined} job.address of the host; undefined: Dawn in the child
 * @param {Readonly<Record<string, string | undefined>>} job.environment of the child
 * @param {AbortSignal} [job.signal] ends the run: what runs then has no result
 * @param {(pid: number) => void} [job.poll] called a few times a second with the child's process id
 * @param {(name: string, result: CaseResult) => void} job.result called for each case as it ends
 * @returns {Promise<void>}
 * @throws {QueryError} when the queries cannot be expanded
 */
export async function runQueries(job) {
  const folder = mkdtempSync(join(tmpdir(), 'vesper-cts-'));
  try {
    const done = new Set();
    let isSecondStart = false;
    for (;;) {
      const end = await runOnce(job, folder, done);
      if (end.finished || job.signal?.aborted) return;
      if (end.running !== undefined) {
        finish(end.running, { status: end.status, ms: end.ms, reason: end.reason });
        isSecondStart = false;
        continue;
      }
      if (end.progress) continue; // the child said itself what became of its last case
      if (end.names.length === 0) throw new QueryError(end.reason);
      // It could not begin. A busy machine can be the reason, once.
      if (!isSecondStart) {
        isSecondStart = true;
        continue;
      }
      for (const name of end.names) if (!done.has(name)) finish(name, { status: 'notrun', ms: 0, reason: end.reason });
      return;
    }

    /**
     * @param {string} name
     * @param {CaseResult} result
     */
    function finish(name, result) {
      done.add(name);
      job.result(name, result);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One child, from its start to its end. */
async function runOnce(job, folder, done) {
  const reportFile = join(folder, 'report');
  const errorFile = join(folder, 'stderr');
  const doneFile = join(folder, 'done');
  writeFileSync(doneFile, [...done].join('\n'));
  const report = openSync(reportFile, 'w+');
  const errors = openSync(errorFile, 'w');
  const jobFile = join(folder, 'job');
  const { cts, queries, sample, address } = job;
  writeFileSync(jobFile, JSON.stringify({ cts, queries, sample, done: doneFile, address }));
  const child = spawn(process.execPath, ['--expose-gc', PROGRAM, jobFile], {
    // The channel tells the child when this process is gone.
    stdio: ['ignore', 'ignore', errors, report, 'ipc'],
    env: job.environment,
  });
  const abort = () => child.kill('SIGKILL');
  job.signal?.addEventListener('abort', abort);
  if (job.signal?.aborted) abort();
  let names = [];
  let running;
  let progress = false;
  let finished = false;
  let since = performance.now();
  let isLate = false;
  const lines = lineReader(report, (line) => {
    since = performance.now();
    const [kind, first, status, ms, reason] = JSON.parse(line);
    if (kind === 'list') names = first;
    else if (kind === 'begin') running = first;
    else if (kind === 'finished') finished = true;
    else {
      running = undefined;
      progress = true;
      done.add(first);
      job.result(first, { status, ms, reason });
    }
  });
  const how = await new Promise((resolve) => {
    const timer = setInterval(() => {
      lines();
      if (child.pid !== undefined) job.poll?.(child.pid);
      const limit = running === undefined && !progress ? START_SECONDS : job.caseSeconds;
      if (performance.now() - since < limit * 1000) return;
      isLate = true;
      child.kill('SIGKILL');
    }, POLL_MS);
    child.on('error', (error) => resolve(error.message));
    child.on('close', (status, signal) => resolve(signal ?? `status ${status}`));
    child.on('close', () => clearInterval(timer));
  });
  job.signal?.removeEventListener('abort', abort);
  lines();
  closeSync(report);
  closeSync(errors);
  const said = lastWords(readFileSync(errorFile, 'utf8'));
  return {
    finished,
    names,
    running,
    progress,
    status: isLate ? 'timeout' : 'crash',
    ms: Math.round(performance.now() - since),
    reason: isLate ? `no end within ${job.caseSeconds} s` : `the process of the test ended with ${how}: ${said}`,
  };
}

/** Reads complete lines of a file that grows. @returns a function that reads what has come */
function lineReader(file, take) {
  const buffer = Buffer.alloc(1 << 20);
  let position = 0;
  let rest = Buffer.alloc(0);
  return () => {
    for (;;) {
      const bytes = readSync(file, buffer, 0, buffer.length, position);
      if (bytes === 0) return;
      position += bytes;
      const parts = Buffer.concat([rest, buffer.subarray(0, bytes)]);
      const end = parts.lastIndexOf(10) + 1;
      rest = parts.subarray(end);
      for (const line of parts.subarray(0, end).toString('utf8').split('\n')) if (line !== '') take(line);
    }
  };
}

/** What a process said before it ended, on one line: its error rather than the stack behind it. @param {string} text */
function lastWords(text) {
  const lines = text.trim().split('\n');
  const error = lines.findLast((line) => /^\S*(Error|FATAL)\b.*/.test(line));
  return (error ?? lines.slice(-3).join(' ')).trim().slice(-300);
}
