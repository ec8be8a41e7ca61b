import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

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
  test: { name: 'app-sdk', include: ['test/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
