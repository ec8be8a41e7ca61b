import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

const sdk = (path: string): string => fileURLToPath(new URL(`../app-sdk/src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: '@signalbox/app-sdk/protocol', replacement: sdk('protocol/index.ts') },
      { find: '@signalbox/app-sdk/testing', replacement: sdk('testing.ts') },
      { find: '@signalbox/app-sdk/browser', replacement: sdk('browser.ts') },
      { find: '@signalbox/app-sdk', replacement: sdk('index.ts') },
    ],
  },
  test: {
    name: 'gateway',
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/dotnet'], // they need .NET: `npm run test:dotnet`
    // Longer than several waits of `test/support/until.ts`: a wait that fails says for what.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000 } }, // as long as other waits; its own default is one second
  },
});
