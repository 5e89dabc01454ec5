// A host as an operator starts it, `vesper serve`, and `vesper gateway` before it, for pages of one origin.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const vesper = fileURLToPath(new URL('../../packages/cli/bin/vesper.js', import.meta.url));

/**
 * @typedef {object} GatewayedHost
 * @property {string} url of its WebSocket
 * @property {string} address without the gateway
 * @property {() => Promise<void>} close ends both processes
 */

/**
 * @param {string} origin of the pages that may connect
 * @param {readonly string[]} [args] further ones, for `vesper serve`
 * @returns {Promise<GatewayedHost>}
 */
export async function startGatewayedHost(origin, args = []) {
  const folder = await mkdtemp(join(tmpdir(), 'vesper-browser-'));
  const address = `unix:${join(folder, 'gpu')}`;
  const host = start(['serve', '--listen', address, ...args]);
  const gateway = start(['gateway', '--listen', 'tcp:127.0.0.1:0', '--to', address, '--allow-origin', origin]);
  const close = async () => {
    await Promise.all([gateway.stop(), host.stop()]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await host.logged(/listening at (unix:[^\s"]+)/);
    const [, at] = await gateway.logged(/listening for WebSockets at tcp:([^\s"]+)/);
    return { url: `ws://${at}`, address, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param {readonly string[]} args */
function start(args) {
  const child = spawn(process.execPath, [vesper, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  // A run that is cut off must not leave it behind.
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  /** @type {Promise<void>} */
  const gone = new Promise((resolve) => child.once('close', () => resolve()));
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (log += text));
  return {
    /**
     * @param {RegExp} pattern
     * @returns {Promise<RegExpExecArray>} what it finds in the log, as soon as it does
     */
    logged(pattern) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(log);
          if (found !== null) resolve(found);
        };
        child.stderr.on('data', look);
        void gone.then(() => reject(new Error(`vesper ${args[0]} ended without logging ${pattern}:\n${log}`)));
        look();
      });
    },
    async stop() {
      child.kill();
      await gone;
      process.off('exit', kill);
    },
  };
}
