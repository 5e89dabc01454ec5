// On the real backend: a program's stream, with objects released and destroyed at steps of it. `node destroy.mjs RUNS`
import { openGPU } from '@vesper-gpu/dawn/gpu';
import { attacks, recordProgram, replay, verdict } from './replay.mjs';

const gpu = openGPU();
const { log } = console;
console.log = () => {};
const recording = await recordProgram(gpu, () => import('../../e2e/programs/compute-and-render.mjs'));
console.log = log;
const all = attacks(recording.records);
const runs = Math.min(Number(process.argv[2]), all.length);
const untouched = await replay(gpu, recording, undefined);
const reasons = {};
const wrong = [];
for (let run = 0; run < runs; run++) {
  const attack = all[Math.floor((run * all.length) / runs)];
  const how = await replay(gpu, recording, attack);
  reasons[how.reason] = (reasons[how.reason] ?? 0) + 1;
  const found = verdict(how);
  if (found !== undefined) wrong.push(`${attack.what} before step ${attack.step}: ${found}`);
}
console.log(JSON.stringify({ attacks: all.length, runs, untouched: untouched.reason, reasons, wrong }));
process.exit(0);
