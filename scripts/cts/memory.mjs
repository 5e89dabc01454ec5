import { readFileSync } from 'node:fs';

/** Follows the resident memory of a process, in MiB. Linux only; elsewhere it stays at 0. */
export class MemoryWatch {
  lastMiB = 0;
  peakMiB = 0;

  /** @param {number} pid */
  sample(pid) {
    let text;
    try {
      text = readFileSync(`/proc/${pid}/status`, 'utf8');
    } catch {
      return; // it has ended: what was last seen stays
    }
    const [, kib] = /VmRSS:\s+(\d+) kB/.exec(text) ?? [];
    if (kib === undefined) return;
    this.lastMiB = Math.round(Number(kib) / 1024);
    this.peakMiB = Math.max(this.peakMiB, this.lastMiB);
  }

  /** @returns {import('./results.mjs').Memory} */
  get figures() {
    return { lastMiB: this.lastMiB, peakMiB: this.peakMiB };
  }
}
