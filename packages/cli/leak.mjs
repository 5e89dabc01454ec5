import { startBroker } from './dist/index.js'; import net from 'node:net'; import { pino } from 'pino'; import v8 from 'node:v8';
import { encodeHello, DEFAULT_LIMITS } from '@vesper-gpu/wire'; import { PROTOCOL } from '@vesper-gpu/protocol';
let ended = 0;
const b = await startBroker({ listen: ['unix:/tmp/leak.sock'], logger: pino({ level: 'silent' }), sessionEnded: () => ended++, executorFile: new URL('test/fake-executor.mjs', import.meta.url).pathname, chosenDriver: { kind: 'user', reason: ['x'], environment: {}, adapter: {} } });
const hello = encodeHello({ ...PROTOCOL, agent: 'x', limits: DEFAULT_LIMITS });
const show = async (i) => { await new Promise(r => setTimeout(r, 300)); gc(); gc(); await new Promise(r => setTimeout(r, 50)); gc(); const m = process.memoryUsage(); console.log(i, (m.rss/2**20).toFixed(1), 'heap', (m.heapUsed/2**20).toFixed(2), 'ext', (m.external/2**20).toFixed(2)); };
for (let i = 0; i <= 400; i++) {
  const s = net.connect('/tmp/leak.sock'); s.write(Buffer.concat([hello, Buffer.from('ping')])); await new Promise(r => s.once('data', r)); s.destroy();
  await new Promise(r => s.once('close', r)); s.removeAllListeners();
  if (i % 100 === 0) await show(i);
  if (process.argv[2] && i === 100) v8.writeHeapSnapshot('/tmp/a.heapsnapshot');
}
if (process.argv[2]) v8.writeHeapSnapshot('/tmp/b.heapsnapshot');
await b.close();
