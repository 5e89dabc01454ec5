import { defineConfig } from 'vitest/config';

import shared from '../../vitest.config.ts';

/** What needs QEMU. Without KVM a guest computes some ten times as slowly as its host. */
export default defineConfig({
  ...shared,
  root: new URL('../..', import.meta.url).pathname,
  test: {
    ...shared.test,
    name: 'vm',
    include: ['test/vm/machine.test.ts'],
    exclude: [],
    testTimeout: 400_000,
    hookTimeout: 400_000,
  },
});
