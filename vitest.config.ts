import { defineConfig } from 'vitest/config';

/** Packages resolve to their sources, so that a test never sees an old build. */
const conditions = ['vesper-source', 'node', 'import', 'module', 'default'];

export default defineConfig({
  resolve: { conditions },
  // Workspace packages are bundled by Vite's loader, and only for these does it look at the conditions.
  ssr: { resolve: { conditions, externalConditions: conditions }, noExternal: [/^@vesper-gpu\//] },
  test: {
    include: ['test/**/*.test.ts', 'packages/*/src/**/*.test.ts', 'generated/src/**/*.test.ts'],
    // Needs QEMU, and has a configuration of its own.
    exclude: ['test/vm/machine.test.ts'],
    // A process a file: a driver that crashes takes one test file with it, and global state stays apart.
    pool: 'forks',
    // Milliseconds. Software rendering on a shared machine is slow; a hang must still end.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    reporters: ['default'],
  },
});
