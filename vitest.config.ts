import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      'app-sdk/vitest.config.ts',
      'gateway/vitest.config.ts',
      'examples/vitest.config.ts',
      'deploy/vitest.config.ts',
    ],
  },
});
