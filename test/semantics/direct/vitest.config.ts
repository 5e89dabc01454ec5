import { defineConfig } from 'vitest/config';

import shared from '../../../vitest.config.ts';

/** The same tests on Dawn for Node, called in the process of the test: the oracle of those that go through Vesper. */
export default defineConfig({
  ...shared,
  root: new URL('../../..', import.meta.url).pathname,
  test: {
    ...shared.test,
    name: 'direct',
    include: ['test/semantics/*.test.ts'],
    env: { VESPER_SEMANTICS: 'direct' },
    globalSetup: 'test/semantics/direct/choose-driver.ts',
    setupFiles: 'test/semantics/direct/shortfalls.ts',
    // A test that fails, as some have to, leaves promises behind that nobody awaits any more.
    dangerouslyIgnoreUnhandledErrors: true,
  },
});
