import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What is used of a compiled CTS, with cases that end as their names say. */
const FILES: Record<string, string> = {
  'src/common/runtime/cmdline.ts': '',
  'out-node/common/internal/file_loader.js': `
    const run = {
      pass: (result) => { result.status = 'pass'; },
      warn: (result) => { result.status = 'warn'; result.logs = ['careful']; },
      skip: (result) => { result.status = 'skip'; },
      fail: (result) => { result.status = 'fail'; result.logs = ['in ' + process.cwd() + '/out-node/x.js:\\n  1 is not 2']; },
      crash: () => process.kill(process.pid, 'SIGKILL'),
      exit: () => process.exit(3),
      hang: () => new Promise(() => setInterval(() => {}, 1000)),
    };
    exports.DefaultTestFileLoader = class {
      async loadCases({ names }) {
        if (names.includes('unknown')) throw new Error('no such query');
        return names.map((name) => ({
          query: { toString: () => 'webgpu:' + name },
          run: async (result) => { result.timems = 2; await run[name.split(':')[1]](result); },
        }));
      }
    };`,
  'out-node/common/internal/logging/logger.js': `
    exports.Logger = class { record() { const result = {}; return [result, result]; } };`,
  'out-node/common/internal/logging/log_message.js': 'exports.prettyPrintLog = (log) => log;',
  // A query is a list of cases: "file:pass+file:fail".
  'out-node/common/internal/query/parseQuery.js': `exports.parseQuery = (text) => ({ names: text.split('+') });`,
  'out-node/common/framework/resources.js': 'exports.setBaseResourcePath = exports.getResourcePath = () => {};',
  'out-node/common/framework/data_cache.js': 'exports.dataCache = { setStore() {} };',
  'out-node/common/util/navigator_gpu.js': `exports.setGPUProvider = (provide) => { provide(); };`,
};

/** Writes a checkout into a fresh folder. @returns the folder */
export function fakeCheckout(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vesper-fake-cts-'));
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}
