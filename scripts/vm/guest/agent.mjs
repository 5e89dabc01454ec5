// Runs in the guest: does what the machine's owner says over the second port, one JSON object a line; see control.mjs.
// The GPU is not here: programs find that by VESPER_ADDRESS.
import { spawn } from 'node:child_process';
import { mkdir, open, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const PORT = '/dev/virtio-ports/org.vesper.control.0';
const CHUNK_BYTES = 64 << 10;
/** How long, in milliseconds, to wait before a port whose other side is away is asked again. */
const RETRY_MS = 50;

const port = await open(PORT, 'r+');
/** Lines leave one behind the other, each whole. */
let written = Promise.resolve();

/** @param {object} message */
function tell(message) {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  written = written.then(async () => {
    for (let offset = 0; offset < bytes.byteLength;) {
      offset += (await port.write(bytes, offset, bytes.byteLength - offset, null)).bytesWritten;
    }
  });
  return written;
}

/** @param {{ id: number, argv: string[], env: Record<string, string> }} order */
function run({ id, argv: [command, ...args], env }) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.setEncoding('utf8').on('data', (text) => void tell({ id, stdout: text }));
  child.stderr.setEncoding('utf8').on('data', (text) => void tell({ id, stderr: text }));
  child.on('error', (error) => void tell({ id, error: error.message }));
  child.on('close', (status, signal) => void tell({ id, status, signal }));
}

/** @param {{ id: number, path: string }} order all files below a folder */
async function get({ id, path }) {
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile()) await tell({ id, file, data: (await readFile(file)).toString('base64') });
  }
  await tell({ id, done: true });
}

/** @param {{ id: number, path: string, data: string }} order */
async function put({ id, path, data }) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, Buffer.from(data, 'base64'));
  await tell({ id, done: true });
}

/**
 * @param {{ type: 'run', id: number, argv: string[], env: Record<string, string> }
 *   | { type: 'put', id: number, path: string, data: string } | { type: 'get', id: number, path: string }} order
 */
async function obey(order) {
  if (order.type === 'run') run(order);
  else if (order.type === 'put') await put(order);
  else if (order.type === 'get') await get(order);
}

const [uptime] = (await readFile('/proc/uptime', 'utf8')).split(' ');
await tell({ uptimeSeconds: Number(uptime) });
const buffer = Buffer.alloc(CHUNK_BYTES);
const decoder = new TextDecoder();
let rest = '';
for (;;) {
  const { bytesRead } = await port.read(buffer, 0, CHUNK_BYTES, null);
  if (bytesRead === 0) await sleep(RETRY_MS);
  const lines = (rest + decoder.decode(buffer.subarray(0, bytesRead), { stream: true })).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) {
    const order = JSON.parse(line);
    obey(order).catch((error) => tell({ id: order.id, error: error.message }));
  }
}
