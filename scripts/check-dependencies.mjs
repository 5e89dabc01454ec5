// Enforces which package may import which (see CONTRIBUTING.md). Reads sources and package.json files; needs no build.
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Packages from the bottom up, each with what it may import. */
const layers = {
  wire: [],
  webidl: [],
  protocol: ['wire', 'webidl'],
  guest: ['wire', 'webidl', 'protocol'],
  host: ['wire', 'webidl', 'protocol'],
  transport: ['wire', 'webidl', 'protocol', 'guest', 'host'],
  register: ['wire', 'webidl', 'protocol', 'guest', 'transport'],
  swiftshader: [],
  dawn: ['wire', 'webidl', 'protocol', 'guest', 'host', 'swiftshader'],
  codegen: ['wire', 'webidl'],
  cli: ['wire', 'webidl', 'protocol', 'guest', 'host', 'transport', 'swiftshader', 'dawn', 'codegen'],
};
/** Run in a browser too. */
const portable = new Set(['wire', 'webidl', 'protocol', 'guest']);
/** What pages and their workers import of other packages. */
const portableFiles =
  /^packages\/transport\/src\/(?:ring\/|(?:in-process|relay|water-marks|websocket|websocket-in-worker|websocket-worker)\.ts$)/;
/** npm packages that only one place may import. */
const exclusive = [
  { module: 'webgpu', folder: 'packages/dawn/', why: 'only packages/dawn binds the npm package webgpu' },
  {
    module: 'koffi',
    folder: 'packages/transport/src/shared-memory/',
    why: 'only packages/transport/src/shared-memory calls the system with koffi',
  },
  {
    module: 'webidl2',
    folder: 'packages/codegen/src/parse/',
    why: 'only packages/codegen/src/parse reads with webidl2',
  },
];
/** Packages that import no npm package at all. */
const withoutDependency = new Set(['wire', 'webidl']);
const scope = '@vesper-gpu/';
const nodeModules = new Set(builtinModules);

/**
 * Checks one source file.
 *
 * @param {string} path relative to the repository, with `/`
 * @param {string} text its contents
 * @returns {string[]} one sentence a violation, naming the file with its line, the import and the rule
 */
export function checkSource(path, text) {
  const { code, strings } = tokenize(text);
  const violations = [];
  const report = (offset, what, rule) =>
    violations.push(`${path}:${code.slice(0, offset).split('\n').length}: ${what}: ${rule}`);

  const name = packageOf(path);
  const isTest = /\.test\.m?[jt]s$/.test(path);
  const isPortableFile = portableFiles.test(path);
  const isPortable =
    isPortableFile || portable.has(name) || (name === 'host' && !path.startsWith('packages/host/src/node/'));
  const portableRule = isPortableFile
    ? 'this file runs in a browser too'
    : name === 'host'
      ? 'packages/host uses node only under src/node, so that it runs on any WebGPU'
      : `packages ${[...portable].join(', ')} run in a browser too`;

  for (const match of code.matchAll(/(?<![.\w$])(?:from|import|require)\s*(?:\(\s*)?«(\d+)»/g)) {
    const specifier = strings[Number(match[1])];
    const offset = match.index + match[0].indexOf('«');
    const what = `imports ${specifier}`;
    for (const { module, folder, why } of exclusive) {
      if (isModule(specifier, module) && !path.startsWith(folder)) report(offset, what, why);
    }
    if (name === undefined) continue; // scripts and tests that span packages
    const isNode = specifier.startsWith('node:') || nodeModules.has(specifier);
    if (isNode && isPortable && !isTest) report(offset, what, portableRule);
    if (specifier.startsWith('.')) {
      const target = packageOf(posix.normalize(posix.join(posix.dirname(path), specifier)));
      if (target !== name) report(offset, what, 'another package is imported by its name');
    } else if (specifier.startsWith(scope)) {
      const target = specifier.slice(scope.length).split('/')[0];
      if (target !== name && !layers[name].includes(target)) report(offset, what, layerRule(name));
    } else if (withoutDependency.has(name) && !isNode && !isTest) {
      report(offset, what, `packages/${name} has no dependency`);
    }
  }
  if (isPortable && !isTest) {
    // Members (`queue.process`) and keys (`process:`, `process() {`) are other things of the same name.
    const globals =
      /(?<![.\w$])(?:Buffer(?![\w$]|\s*:)|process(?=\s*(?:\.|\?\.|\[)))|\bglobalThis\s*\??\.\s*(?:Buffer|process)\b/g;
    for (const match of code.matchAll(globals)) report(match.index, `uses ${match[0]}`, portableRule);
  }
  return violations;
}

/**
 * Checks the dependencies that a package declares.
 *
 * @param {string} path of the package.json, relative to the repository
 * @param {string} text its contents
 * @returns {string[]} as checkSource()
 */
export function checkManifest(path, text) {
  const name = packageOf(path);
  if (name === undefined) return [];
  const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(text);
  return Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
    .filter((dependency) => dependency.startsWith(scope) && !layers[name].includes(dependency.slice(scope.length)))
    .map((dependency) => `${path}: depends on ${dependency}: ${layerRule(name)}`);
}

/** Checks every source and package.json under the repository's folder. */
export function checkTree(root) {
  const violations = [];
  const walk = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const file = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== 'node_modules' && entry.name !== 'dist' && !entry.name.startsWith('.')) walk(file);
        continue;
      }
      const path = relative(root, file).split(sep).join('/');
      if (entry.name === 'package.json') violations.push(...checkManifest(path, readFileSync(file, 'utf8')));
      else if (/\.[cm]?[jt]s$/.test(entry.name)) violations.push(...checkSource(path, readFileSync(file, 'utf8')));
    }
  };
  for (const folder of ['packages', 'generated', 'scripts', 'test']) walk(join(root, folder));
  return violations;
}

function layerRule(name) {
  const allowed = layers[name];
  return `packages/${name} may import ${allowed.length === 0 ? 'no other package' : `only ${allowed.join(', ')}`}`;
}

function isModule(specifier, module) {
  return specifier === module || specifier.startsWith(`${module}/`);
}

/** Name of the workspace package that a file belongs to; undefined for scripts and tests. */
function packageOf(path) {
  if (path.startsWith('generated/')) return 'protocol';
  const name = /^packages\/([^/]+)\//.exec(path)?.[1];
  if (name !== undefined && !(name in layers)) {
    throw new Error(`scripts/check-dependencies.mjs: packages/${name} has no layer yet: say there what it may import`);
  }
  return name;
}

/**
 * Takes comments out and replaces each string by its number, so that a generator's templates and prose are no imports.
 * Line breaks stay. A template inside of a template is taken apart wrongly but ends where it should.
 */
function tokenize(text) {
  const strings = [];
  const lines = (piece) => piece.replace(/[^\n]/g, '');
  const token =
    /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`|(?<=[(,=:[!&|?{};]\s*)\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/g;
  const code = text.replace(token, (piece) => {
    if (!/^['"`]/.test(piece)) return ` ${lines(piece)}`;
    strings.push(piece.slice(1, -1));
    return `«${strings.length - 1}»${lines(piece)}`;
  });
  return { code, strings };
}

// A checkout may be reached through a link, which import.meta.url has resolved and argv has not.
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  const violations = checkTree(dirname(dirname(fileURLToPath(import.meta.url))));
  for (const violation of violations) console.error(violation);
  if (violations.length > 0) {
    console.error(`\n${violations.length} forbidden ${violations.length === 1 ? 'import' : 'imports'}.`);
    process.exitCode = 1;
  } else {
    console.log('Every import keeps to the layers.');
  }
}
