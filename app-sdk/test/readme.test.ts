import { readFileSync } from 'node:fs';
import * as sdk from '@signalbox/app-sdk';
import * as browser from '@signalbox/app-sdk/browser';
import * as testing from '@signalbox/app-sdk/testing';
import { describe, expect, test } from 'vitest';
import { errorCodes, SignalboxError } from '../src/errors.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('the README', () => {
  test('has each error code in its table, with whether it is retryable, and no other', () => {
    const rows = [...readme.matchAll(/^\| `(ERR_\w+)` +\| (yes|no) +\| .+ \|$/gm)];
    expect(rows.map(([, code, retryable]) => [code, retryable === 'yes'])).toEqual(Object.entries(errorCodes));
  });

  test('shows a hub in an app server as it compiles', () => {
    const example = readFileSync(new URL('./examples/app-server.ts', import.meta.url), 'utf8');
    expect(readme).toContain(`\`\`\`ts\n${example}\`\`\``);
  });

  test('imports only what is there', () => {
    const doors: Record<string, object> = { '': sdk, '/browser': browser, '/testing': testing };
    const imports = [...readme.matchAll(/^import (?!type)\{ (.+) \} from '@signalbox\/app-sdk(.*)';$/gm)];
    expect(imports.length).toBeGreaterThan(3);
    for (const [, names = '', door = ''] of imports) {
      const values = names.split(', ').filter((name) => !name.startsWith('type '));
      for (const name of values) expect(doors[door], `${name} of ${door}`).toHaveProperty(name);
    }
  });
});

test.each(Object.entries(errorCodes))('an error with code %s has retryable %s', (code, retryable) => {
  const error = new SignalboxError(code as keyof typeof errorCodes, 'text');
  expect(error).toMatchObject({ code, retryable, outcome: 'notSent', message: 'text', name: 'SignalboxError' });
});
