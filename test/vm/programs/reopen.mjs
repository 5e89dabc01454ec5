// Has a program that is in the midst of its stream killed, with the process that could say so on the port; closes a
// session of its own with a request under way; and opens the port anew each time. Prints what it did.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from '@vesper-gpu/guest';
import { openTransport } from '@vesper-gpu/transport';
import { checkBytes } from './checked-bytes.mjs';

/** Processes whose command line has `text`. */
function processes(text) {
  return readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(text);
    } catch {
      return false; // it has ended meanwhile
    }
  });
}

async function killedInItsStream() {
  const [, stream] = process.argv.slice(1);
  const child = spawn('node', ['--import', '/vesper/register.mjs', stream], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const gone = new Promise((resolve) => child.once('exit', resolve));
  for (const pid of processes('device-pump')) process.kill(Number(pid), 'SIGKILL');
  child.kill('SIGKILL');
  await gone;
}

async function open() {
  const { gpu, globals, close } = await connect(await openTransport(process.env.VESPER_ADDRESS));
  Object.assign(globalThis, globals);
  const adapter = await gpu.requestAdapter();
  return { device: await adapter.requestDevice(), close };
}

await killedInItsStream();
const first = await open();
await checkBytes(first.device, 4096, 1);
console.log('computing behind a program that was killed');

const underWay = checkBytes(first.device, 1 << 20, 2).then(
  () => 'done',
  () => 'cut off',
);
await first.close();
await underWay;
const second = await open();
await checkBytes(second.device, 4096, 3);
await second.close();
console.log('computing behind a session that was closed');
