import { defineConfig } from 'vitest/config';
import gateway from '../../vitest.config.ts';

/** The tests that need .NET: `npm run test:dotnet`. What they share with those of the gateway is in `../support`. */
export default defineConfig({
  ...gateway,
  test: {
    name: 'dotnet',
    root: import.meta.dirname,
    include: ['**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 180_000,
  },
});
