import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    name: 'examples',
    include: ['**/test/**/*.test.ts'],
    // Browsers and many processes are started, on a machine that has other work too: a wait that fails says for what.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
