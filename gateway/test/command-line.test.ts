import { expect, test } from 'vitest';
import { configText, helpText, readCommandLine, settingGroups } from '../src/command-line.ts';
import { readConfig, type Setting, settings } from '../src/config.ts';

const rows = Object.values<Setting<unknown>>(settings);

test.each([
  [[], { kind: 'run' }],
  [['--help'], { kind: 'help' }],
  [['-h'], { kind: 'help' }],
  [['--version'], { kind: 'version' }],
  [['--print-config'], { kind: 'print_config' }],
  [['--port=1'], { kind: 'wrong', line: '"--port=1" is no flag of the gateway; --help lists flags and settings' }],
  [['toString'], { kind: 'wrong', line: '"toString" is no flag of the gateway; --help lists flags and settings' }],
  [
    ['--help', 'x'],
    { kind: 'wrong', line: '--help must stand alone, got "x" behind it; --help lists flags and settings' },
  ],
])('the arguments %j', (given, expected) => {
  expect(readCommandLine(given)).toEqual(expected);
});

test('help has one line for each setting, with its rule, default and meaning', () => {
  const lines = helpText().split('\n');
  for (const { env, read, doc } of rows) {
    const own = lines.filter((line) => line.startsWith(`  ${env}: `));
    expect(own, env).toHaveLength(1);
    expect(own[0]).toContain(`${read.rule} [`);
    expect(own[0]?.endsWith(`]. ${doc}`)).toBe(true);
  }
  expect(lines).toContain('  PORT: an integer from 0 to 65535 (0: any free port) [8080]. Port for clients and apps.');
});

test('each setting stands in one group, in the order of the table', () => {
  const groups = settingGroups();
  expect(groups.flatMap((group) => group.settings.map(({ env }) => env))).toEqual(rows.map(({ env }) => env));
  expect(groups.map(({ title }) => title)).toEqual([
    'Addresses and names',
    'Keys and origins',
    'Redis',
    'Hubs',
    'Webhooks',
    'Outside issuers',
    'TLS and proxies',
    'Operators',
    'Traces',
    'Sizes',
    'Times',
    'Limits',
  ]);
});

test('the printed settings hold no secret, and reading them again gives the same', () => {
  const secrets = { SIGNALBOX_ACCESS_KEY: 'hush'.repeat(8), REDIS_URL: 'redis://user:hush@host' };
  const plain = { PORT: '0', SIGNALBOX_HOSTS: 'a,b', SIGNALBOX_READY_GRACE: 'never', SIGNALBOX_LABEL: 'x = y' };
  const text = configText(readConfig({ ...secrets, ...plain }));
  expect(text).not.toContain('hush');
  const lines = text.split('\n').map((line): [string, string] => {
    const cut = line.indexOf('=');
    return [line.slice(0, cut), line.slice(cut + 1)];
  });
  const printed = Object.fromEntries(lines);
  expect(Object.keys(printed)).toEqual(rows.map(({ env }) => env));
  expect(printed).toMatchObject({
    SIGNALBOX_ACCESS_KEY: '(set)',
    REDIS_URL: '(set)',
    SIGNALBOX_ROUTING_SECRET: '(unset)',
  });
  const shown = lines.filter(([, value]) => !/^\((un)?set\)$/.test(value));
  expect(readConfig(Object.fromEntries(shown))).toEqual(readConfig(plain));
});
