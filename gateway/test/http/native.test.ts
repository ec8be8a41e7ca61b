import { expect, it } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { loadNative } from '../../src/http-native.ts';

it('a Node without a matching binary is told in one line what to do', async () => {
  const failing = loadNative(async () => {
    throw new Error('This version of uWS.js supports only …\n\nError: Cannot find module');
  });
  await expect(failing).rejects.toThrow(ConfigError);
  const { message } = (await failing.catch((error: unknown) => error)) as Error;
  expect(message).toContain(process.version);
  expect(message).toContain('Node 18, 20, 21 or 22');
  expect(message).toContain('README.md');
  expect(message).not.toContain('\n');
});
