import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig, type Setting, settings } from '../src/config.ts';

const rows = Object.entries<Setting<unknown>>(settings);
const key = 'k'.repeat(32);

test('without an environment every setting has its default', () => {
  expect(readConfig({})).toEqual(Object.fromEntries(rows.map(([name, row]) => [name, row.fallback])));
});

test('an empty variable counts as unset', () => {
  expect(readConfig(Object.fromEntries(rows.map(([, row]) => [row.env, ''])))).toEqual(readConfig({}));
});

test('no two settings share a variable, and each has a rule and a meaning', () => {
  expect(new Set(rows.map(([, row]) => row.env)).size).toBe(rows.length);
  for (const [, row] of rows) {
    expect(row.env).toMatch(/^(PORT|REDIS_URL|(SIGNALBOX|OTEL)_[A-Z_]+)$/);
    expect(row.read.rule).not.toBe('');
    expect(row.doc).toMatch(/\.$/);
  }
});

test('a default keeps its own rule', () => {
  for (const [, row] of rows) {
    if (typeof row.fallback !== 'number' && typeof row.fallback !== 'boolean' && typeof row.fallback !== 'string')
      continue;
    expect(row.read.read(String(row.fallback)), row.env).toBe(row.fallback);
  }
});

test.each([
  [{ PORT: '0' }, { port: 0 }],
  [{ SIGNALBOX_LOG_LEVEL: 'debug' }, { logLevel: 'debug' }],
  [{ SIGNALBOX_HOSTS: 'a.example, b.example,' }, { hosts: ['a.example', 'b.example'] }],
  [{ SIGNALBOX_ACCESS_KEY: `${key},${key}2` }, { accessKeys: [key, `${key}2`] }],
  [{ SIGNALBOX_READY_GRACE: 'never' }, { readyGraceMs: Number.POSITIVE_INFINITY }],
  [{ SIGNALBOX_REDIS_INSECURE_TLS: 'true' }, { redisInsecureTls: true }],
  [{ SIGNALBOX_MESSAGE_BYTES: '1024' }, { messageBytes: 1024 }],
  [{ OTEL_TRACES_SAMPLER_ARG: '0.25' }, { traceShare: 0.25 }],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318/x' }, { otlpEndpoint: 'http://c:4318/x' }],
])('%j is read', (env, expected) => {
  expect(readConfig(env)).toMatchObject(expected);
});

describe('a wrong value is one line with the name, the rule and the value', () => {
  test.each([
    ['PORT', '65536', 'PORT must be an integer from 0 to 65535 (0: any free port), got "65536"'],
    ['PORT', ' 80', 'PORT must be an integer from 0 to 65535 (0: any free port), got " 80"'],
    ['SIGNALBOX_PREFIX', 'a:b', 'SIGNALBOX_PREFIX must be 1 to 32 characters matching ^[A-Za-z0-9_-]+$, got "a:b"'],
    [
      'SIGNALBOX_LOG_LEVEL',
      'loud',
      'SIGNALBOX_LOG_LEVEL must be one of trace, debug, info, warn, error, silent, got "loud"',
    ],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5', 'OTEL_TRACES_SAMPLER_ARG must be a number from 0 to 1, got "1.5"'],
    ['SIGNALBOX_ASK_MS', '1e3', 'SIGNALBOX_ASK_MS must be an integer from 50 to 60000 ms, got "1e3"'],
    ['SIGNALBOX_MESSAGE_BYTES', '1', 'SIGNALBOX_MESSAGE_BYTES must be an integer from 1024 to 67108864 bytes, got "1"'],
    [
      'SIGNALBOX_READY_GRACE',
      '-1',
      'SIGNALBOX_READY_GRACE must be an integer from 0 to 3600000 ms, or never, got "-1"',
    ],
    [
      'SIGNALBOX_CORS_ORIGINS',
      'https://a.example/',
      'SIGNALBOX_CORS_ORIGINS must be a comma-separated list of origins (scheme://host or scheme://host:port, no path), null, or *, got "https://a.example/"',
    ],
    ['SIGNALBOX_REDIS_INSECURE_TLS', 'yes', 'SIGNALBOX_REDIS_INSECURE_TLS must be true or false, got "yes"'],
    ['SIGNALBOX_ACESS_KEY', key, 'SIGNALBOX_ACESS_KEY is no setting of the gateway; --help lists them'],
  ])('%s=%s', (name, value, sentence) => {
    expect(() => readConfig({ [name]: value })).toThrow(new ConfigError(sentence));
  });

  test('of a secret only the length is told', () => {
    const rule = 'SIGNALBOX_ACCESS_KEY must be one or more keys of at least 32 characters, separated by commas';
    expect(() => readConfig({ SIGNALBOX_ACCESS_KEY: 'hush' })).toThrow(
      new ConfigError(`${rule}, got a value of 4 characters`),
    );
  });
});

test('variables of others are left alone', () => {
  expect(readConfig({ PATH: '/bin', SIGNALBOX_CONNECTION_STRING: 'Endpoint=x' })).toEqual(readConfig({}));
});
