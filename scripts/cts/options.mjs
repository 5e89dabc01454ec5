import { parseArgs } from 'node:util';

export const usage = `usage: npm run cts -- --cts DIR --out FILE [options] [QUERY…]
  --cts DIR         a checkout of the gpuweb CTS that has been compiled into DIR/out-node
  --out FILE        where the results go: { driver, cts, cases: { NAME: pass|warn|skip|fail|crash|timeout|notrun } }
  --list FILE       queries, one a line; # begins a comment. QUERY is as the CTS writes it: 'webgpu:api,validation,*'
  --direct          call Dawn for Node in the process of the test; default: a guest, and a host in another process
  --icd FILE        Vulkan driver, as its ICD manifest; default: as vesper doctor says, VESPER_DRIVER=swiftshader for that one
  --sample N        run one case in N, the same ones each time
  --case-seconds N  a case that takes longer is a timeout (default 120)
  --no-rerun        leave out the second try that crashes, timeouts and cases which the harness gave up on get
  --merge           keep the cases that FILE has and this run has not
Relative files count from the repository. Each query runs in a process of its own. The exit status says whether it ran, not
whether it passed: npm run cts:diff compares two runs.`;

/** A wrong command line: the message says what is wrong. */
export class UsageError extends Error {
  name = 'UsageError';
}

/**
 * @param {readonly string[]} args
 * @throws {UsageError}
 */
export function parseOptions(args) {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        cts: { type: 'string' },
        out: { type: 'string' },
        list: { type: 'string', multiple: true, default: [] },
        direct: { type: 'boolean', default: false },
        icd: { type: 'string' },
        sample: { type: 'string', default: '1' },
        'case-seconds': { type: 'string', default: '120' },
        'no-rerun': { type: 'boolean', default: false },
        merge: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  if (values.help) throw new UsageError('here is what it takes');
  const { cts, out, list, direct, icd, merge } = values;
  if (cts === undefined)
    throw new UsageError('--cts is missing: name a checkout of the gpuweb CTS, behind npm run cts --');
  if (out === undefined) throw new UsageError('--out is missing: name the file for the results');
  if (positionals.length === 0 && list.length === 0) throw new UsageError("name a query, such as 'webgpu:idl,*'");
  return {
    cts,
    out,
    lists: list,
    queries: positionals,
    isDirect: direct,
    icd,
    sample: wholeNumber('--sample', values.sample),
    caseSeconds: wholeNumber('--case-seconds', values['case-seconds']),
    isRerun: !values['no-rerun'],
    isMerge: merge,
  };
}

/**
 * @param {string} name
 * @param {string} text
 */
function wholeNumber(name, text) {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new UsageError(`${name} wants a whole number from 1, not "${text}"`);
  return number;
}
