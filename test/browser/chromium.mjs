// Chromium by its command line, without a window.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/** What to do where there is none. */
export const INSTALL_CHROMIUM =
  'Chromium was not found: install it (Debian, Ubuntu: `apt-get install --no-install-recommends chromium`), ' +
  'or name the program in VESPER_CHROMIUM';

/**
 * How WebGPU is had without a GPU: Dawn on the SwiftShader that comes with Chromium.
 */
export const SOFTWARE_WEBGPU = [
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan',
  '--use-webgpu-adapter=swiftshader',
  '--use-angle=swiftshader',
  '--use-vulkan=swiftshader',
];

/** @returns {string | undefined} the path of a Chromium: VESPER_CHROMIUM, or the first one in PATH */
export function findChromium() {
  const { VESPER_CHROMIUM: named, PATH: path = '' } = process.env;
  if (named) return named;
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * @typedef {object} Chromium
 * @property {Promise<never>} failed rejects when it ends by itself, with the end of what it wrote
 * @property {() => Promise<void>} close ends it, and removes what it stored
 */

/**
 * Opens a page in a Chromium with a profile of its own.
 *
 * @param {string} executable
 * @param {string} url
 * @param {readonly string[]} [args] further ones
 * @returns {Promise<Chromium>}
 */
export async function openChromium(executable, url, args = []) {
  const profile = await mkdtemp(join(tmpdir(), 'vesper-chromium-'));
  const child = spawn(
    executable,
    [
      '--headless=new',
      `--user-data-dir=${profile}`,
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // A container's shared memory may be too small for it.
      '--disable-dev-shm-usage',
      // Its sandbox does not work for root.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      ...args,
      url,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  // A run that is cut off must not leave it behind.
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill);
  let written = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (written = (written + text).slice(-4000)));
  /** @type {Promise<string>} */
  const gone = new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (status, signal) => resolve(`it ended with ${signal ?? `status ${status}`}`));
  });
  const failed = gone.then((how) => {
    throw new Error(`${executable} failed: ${how}\n${written}`);
  });
  // Whoever closes it has no interest.
  failed.catch(() => {});
  return {
    failed,
    async close() {
      child.kill();
      await gone;
      process.off('exit', kill);
      await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}
