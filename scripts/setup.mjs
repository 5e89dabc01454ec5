// Brings what the repository needs: its dependencies and its build. Runs before anything is installed, so it is plain
// JavaScript that imports node only. It installs nothing globally and needs no root. What is up to date is skipped.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Folder of the repository. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Says when the dependencies were last installed, and for what. */
const stampFile = join(root, 'node_modules', '.vesper-setup');
const heartbeatMs = 15_000;

/** A step that failed: what, why, and what to do. */
export class SetupError extends Error {
  name = 'SetupError';
}

/**
 * Makes the checkout ready to run.
 *
 * @throws {SetupError} whose message says which step failed, why, and what to do
 */
export async function setup() {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  checkNode(process.versions.node, manifest.engines.node);
  await install(manifest.devDependencies.pnpm);
  await build();
}

/** Compares versions by their numbers; `wanted` is `>=MAJOR.MINOR`. */
export function checkNode(actual, wanted) {
  const [major, minor] = actual.split('.').map(Number);
  const [wantedMajor, wantedMinor] = wanted.replace('>=', '').split('.').map(Number);
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  throw new SetupError(
    `This is node ${actual}, and Vesper needs node ${wanted}.\nWhat to do: install a newer node, then try again.`,
  );
}

async function install(pnpmVersion) {
  const stamp = installStamp();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  console.log('Installing dependencies (once, about a minute) …');
  await step('Installing the dependencies', 'npx', ['--yes', `pnpm@${pnpmVersion}`, 'install', '--frozen-lockfile'], {
    // No questions: pnpm asks before it replaces a folder of another version, and without a terminal it gives up.
    CI: 'true',
    // With "production", pnpm would leave out the tools that build.
    NODE_ENV: 'development',
  });
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, stamp);
}

/** Changes with everything that decides what is installed; binaries depend on the machine. */
function installStamp() {
  const hash = createHash('sha256');
  for (const name of ['pnpm-lock.yaml', 'pnpm-workspace.yaml']) hash.update(readFileSync(join(root, name)));
  return `${hash.digest('hex')} ${process.platform}-${process.arch}\n`;
}

async function build() {
  const projects = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8')).references.map(({ path }) => path);
  const isFirst = projects.some((path) => !existsSync(join(root, path, 'dist')));
  if (isFirst) console.log('Building (once, a few seconds) …');
  // The compiler believes its own record. Where somebody removed the output, the record has to go too.
  for (const path of projects) {
    if (!existsSync(join(root, path, 'dist'))) rmSync(join(root, path, 'tsconfig.tsbuildinfo'), { force: true });
  }
  removeOrphans(projects);
  await step('Building', process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'], {});
}

/** Removes output whose source is gone: a stale module would still be found by an import. */
function removeOrphans(projects) {
  for (const project of projects) {
    const dist = join(root, project, 'dist');
    if (!existsSync(dist)) continue;
    for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
      const source = name.replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts');
      if (source === name || existsSync(join(root, project, 'src', source))) continue;
      if (statSync(join(dist, name)).isFile()) rmSync(join(dist, name));
    }
  }
}

/** Runs one command in the repository, silent but for a sign of life, and turns its failure into a SetupError. */
function step(title, command, args, variables) {
  return new Promise((resolve, reject) => {
    const started = Date.now();
    const heartbeat = setInterval(() => {
      console.log(`  … still at it (${Math.round((Date.now() - started) / 1000)} s)`);
    }, heartbeatMs);
    let output = '';
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32' && command === 'npx', // it is a batch file there
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output = (output + text).slice(-100_000);
      });
    }
    const fail = (why) => {
      clearInterval(heartbeat);
      const tail = output.trim().split('\n').slice(-25).join('\n');
      const shown = tail === '' ? '' : `\nThe end of its output:\n\n${tail.replace(/^/gm, '    ')}\n`;
      reject(new SetupError(`${title} failed: ${why}.\n${shown}\nWhat to do: ${remedy(`${why}\n${output}`)}`));
    };
    child.on('error', (error) => fail(`${command} could not be started (${error.message})`));
    child.on('close', (status, signal) => {
      clearInterval(heartbeat);
      if (status === 0) resolve();
      else fail(`${command} ended with ${signal ?? `status ${status}`}`);
    });
  });
}

/** Known causes, the most specific first: a pattern of the output, and what to do. */
const remedies = [
  [/ENOSPC/, 'the disk is full: free about 1 GB, then try again.'],
  [/spawn npx ENOENT/, 'npx was not found: install npm, which comes with node, then try again.'],
  [/UNABLE_TO_|SELF_SIGNED_CERT|CERT_/, 'a proxy changes certificates: name its authority in NODE_EXTRA_CA_CERTS.'],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|ERR_PNPM_META_FETCH_FAIL/,
    'the npm registry cannot be reached: check the network and the proxy or registry in your npm configuration, then try again.',
  ],
  [
    /OUTDATED_LOCKFILE|LOCKFILE_/,
    'pnpm-lock.yaml does not fit the package.json files: run `npx pnpm install` and review the change.',
  ],
  [
    /TARBALL_INTEGRITY|EINTEGRITY/,
    'a download was damaged or replaced: try again, and tell the maintainers when it stays so.',
  ],
  [
    /ERR_PNPM_FETCH_4|\bE40[134]\b/,
    'the npm registry refused a package: check the registry and its login in your npm configuration.',
  ],
  [/EACCES|EPERM|EROFS/, 'a file may not be written: make this checkout and your home folder writable for you.'],
  [/error TS\d+/, 'the sources do not compile: mend the errors above.'],
  [/Cannot find module .*typescript/, 'the dependencies are incomplete: remove node_modules, then try again.'],
];

/** What a person can do about a failed step, from its output. */
export function remedy(output) {
  const known = remedies.find(([pattern]) => pattern.test(output));
  return known === undefined ? 'see the output above; removing node_modules and trying again often helps.' : known[1];
}

/** Runs setup() for a script: prints a failure as its message alone and ends the process. */
export async function setupOrExit() {
  try {
    await setup();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`\n${error.message}`);
    process.exit(1);
  }
}

// A checkout may be reached through a link, which import.meta.url has resolved and argv has not.
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  await setupOrExit();
  console.log('Ready.');
}
