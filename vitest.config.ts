import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Most tests wait for other processes more than they compute: one worker more than there are processors.
    maxWorkers: availableParallelism() + 1,
    projects: [
      'app-sdk/vitest.config.ts',
      'gateway/vitest.config.ts',
      'examples/vitest.config.ts',
      'deploy/vitest.config.ts',
    ],
  },
});
