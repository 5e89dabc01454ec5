// What can be said to the benchmark. Imports node only: it is looked at before anything is installed.
import { accessSync, constants } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** Parts that run when none is named: those of the target table. */
const USUAL = ['host', 'end-to-end', 'round-trips', 'bulk', 'ring', 'sustained', 'guest', 'bytes'];
/** Parts that take minutes. */
const FURTHER = ['codecs', 'workloads', 'growth', 'guests', 'memory'];

export const usage = `usage: npm run bench -- [--quick] [--only PART]… [--all] [--json FILE] [--note TEXT]
       npm run bench -- --chromium [--quick] [--json FILE]
       npm run bench -- --report FILE… [--out FOLDER]
  --only PART     measures that part alone, or those: ${[...USUAL, ...FURTHER].join(', ')}
  --all           measures every part; without it, and without --only, these: ${USUAL.join(', ')}
  --quick         fewer repetitions and smaller work: less to be relied upon
  --json FILE     also writes the figures to FILE, as { rows, curves, environment }
  --chromium      measures calls in a page of Chromium instead, beside its own WebGPU
  --note TEXT     says something of the machine, for the page of results
  --report FILE   measures nothing: makes the page of results of what --json wrote, of several runs if there are more
  --out FOLDER    where the page and its plots go; test/bench without it, for files of test/bench/results
VESPER_DRIVER=swiftshader, in the environment, measures on Vesper's own driver although the system has one.
Exit status 1 when memory does not stay where it was (part memory), or something cannot be measured; 2 for wrong options.`;

/** What --report goes without. */
const MEASURING = /** @type {const} */ (['quick', 'all', 'only', 'json', 'chromium', 'note']);

/**
 * @typedef {object} Options
 * @property {boolean} help
 * @property {readonly string[]} parts in the order in which they run
 * @property {boolean} quick
 * @property {string | undefined} json
 * @property {boolean} chromium
 * @property {string | undefined} note
 * @property {readonly string[] | undefined} report
 * @property {string | undefined} out
 */

/**
 * @param {readonly string[]} args
 * @returns {Options}
 * @throws {Error} whose message says what is wrong, and the usage
 */
export function parseOptions(args) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        all: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true },
        json: { type: 'string' },
        chromium: { type: 'boolean', default: false },
        note: { type: 'string' },
        report: { type: 'string', multiple: true },
        out: { type: 'string' },
      },
    });
    // The shell expands `--report runs/*.json` to one option and further words.
    if (positionals.length > 0 && values.report === undefined) throw new Error(`what is "${positionals[0]}"?`);
    if (values.all && values.only !== undefined) throw new Error('--all and --only say different things');
    const given = MEASURING.find((name) => values[name] !== undefined && values[name] !== false);
    if (values.report !== undefined && given !== undefined) throw new Error(`--report measures nothing: --${given}?`);
    if (values.report === undefined && values.out !== undefined) throw new Error('--out says where a --report goes');
    if (values.chromium && (values.all || values.only !== undefined)) {
      throw new Error('--chromium measures one thing, and no parts');
    }
    if (values.json !== undefined) requireFolder(values.json);
    const known = [...USUAL, ...FURTHER];
    for (const name of values.only ?? []) {
      if (!known.includes(name)) throw new Error(`there is no part "${name}"`);
    }
    const chosen = values.only ?? (values.all ? known : USUAL);
    return {
      help: values.help,
      parts: known.filter((name) => chosen.includes(name)),
      quick: values.quick,
      json: values.json,
      chromium: values.chromium,
      note: values.note,
      report: values.report && [...values.report, ...positionals],
      out: values.out,
    };
  } catch (error) {
    // Node goes on about how to name a file like an option.
    const [message] = (error instanceof Error ? error.message : String(error)).split('. To specify ');
    throw new Error(`${message}\n${usage}`, { cause: error });
  }
}

/**
 * Figures that cannot be written are minutes lost.
 *
 * @param {string} file
 */
function requireFolder(file) {
  const folder = dirname(resolve(file));
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new Error(`--json: nothing can be written in ${folder}`);
  }
}
