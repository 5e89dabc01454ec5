/**
 * The program of the process that fuzzes a real backend: its parent sees it crash, and makes the reproducer. It says what
 * it does on descriptor 3, in lines of JSON, each written before it goes on: a crash loses none.
 *
 *   node --expose-gc --import tsx test/fuzz/real.ts SEED FIRST COUNT [REASON]
 */
import { writeSync } from 'node:fs';
import { openGPU } from '@vesper-gpu/dawn/gpu';
import type { ServeOptions } from '@vesper-gpu/host';
import { SequenceMode } from './host-mode.ts';
import { REAL, type RealMessage } from './real-messages.ts';

const [seed, first, count, treatAsFinding] = process.argv.slice(2);
const tell = (message: RealMessage): void => void writeSync(3, `${JSON.stringify(message)}\n`);

const { gc } = globalThis;
if (gc === undefined) throw new Error('real.ts wants --expose-gc, as executors have it');
const gpu = openGPU() as unknown as ServeOptions['gpu'];
/** Dawn crashes when it is collected. */
export const adapter = await gpu.requestAdapter();
const memory: ServeOptions['memory'] = {
  collect: (type) => void gc({ type, execution: 'sync' }),
  residentBytes: () => process.memoryUsage.rss(),
};

const mode = new SequenceMode({
  name: 'real',
  seed: Number(seed),
  bearing: REAL,
  first: Number(first),
  treatAsFinding,
  serve: () => ({ gpu, memory }),
  begins: (sequence, sessionBegan) => tell({ type: 'begins', sequence, sessionBegan }),
});
while (mode.executions < Number(count)) {
  const finding = await mode.run(Number(count) - mode.executions);
  if (finding === undefined) continue;
  const { stream, ...rest } = finding;
  const bytes = Buffer.from(stream.bytes).toString('base64');
  tell({ type: 'finding', finding: rest, stream: { ...stream, bytes } });
  break;
}
await mode.close();
tell({ type: 'done', commands: mode.commands, verdicts: [...mode.verdicts] });
// Some drivers hang in their exit handlers.
process.kill(process.pid, 'SIGKILL');
