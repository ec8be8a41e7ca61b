import { type Config, type Setting, settings } from './config.ts';

/** What the command line asks for. `wrong`: a line that says why, for standard error; the exit code is 2. */
export type CommandLine =
  | { readonly kind: 'run' }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'print_config' }
  | { readonly kind: 'wrong'; readonly line: string };

const flags: Readonly<Record<string, CommandLine>> = {
  '--help': { kind: 'help' },
  '-h': { kind: 'help' },
  '--version': { kind: 'version' },
  '--print-config': { kind: 'print_config' },
};

/** Reads the arguments after the script's name. Settings are no flags: they come from the environment. */
export function readCommandLine(given: readonly string[]): CommandLine {
  const [flag, second] = given;
  if (flag === undefined) return { kind: 'run' };
  const known = Object.hasOwn(flags, flag) ? flags[flag] : undefined;
  if (known === undefined) return wrong(`${JSON.stringify(flag)} is no flag of the gateway`);
  if (second !== undefined) return wrong(`${flag} must stand alone, got ${JSON.stringify(second)} behind it`);
  return known;
}

function wrong(what: string): CommandLine {
  return { kind: 'wrong', line: `${what}; --help lists flags and settings` };
}

type SettingName = keyof typeof settings;

/** A group of settings begins with the one named and ends before the next group: the order is that of the table. */
const groupStarts: readonly { readonly title: string; readonly from: SettingName }[] = [
  { title: 'Addresses and names', from: 'port' },
  { title: 'Keys and origins', from: 'accessKeys' },
  { title: 'Redis', from: 'redisUrl' },
  { title: 'Hubs', from: 'modes' },
  { title: 'Webhooks', from: 'upstream' },
  { title: 'Outside issuers', from: 'issuers' },
  { title: 'Operators', from: 'adminToken' },
  { title: 'TLS and proxies', from: 'tlsCert' },
  { title: 'Traces', from: 'otlpEndpoint' },
  { title: 'Sizes', from: 'messageBytes' },
  { title: 'Times', from: 'handshakeMs' },
  { title: 'Limits', from: 'maxConnections' },
];

/** One setting as it is shown to people. */
export interface ShownSetting {
  readonly name: SettingName;
  readonly env: string;
  /** Completes "must be …". */
  readonly rule: string;
  readonly fallback: string;
  readonly doc: string;
}

/** Every setting, in groups, in the order of the table. */
export function settingGroups(): readonly { readonly title: string; readonly settings: readonly ShownSetting[] }[] {
  const groups: { title: string; settings: ShownSetting[] }[] = [];
  for (const [key, row] of Object.entries<Setting<unknown>>(settings)) {
    const start = groupStarts.find(({ from }) => from === key);
    if (start !== undefined) groups.push({ title: start.title, settings: [] });
    const { env, doc } = row;
    const shown = { name: key as SettingName, env, rule: row.read.rule, fallback: shownValue(row.fallback), doc };
    groups.at(-1)?.settings.push(shown);
  }
  return groups;
}

function shownValue(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return 'unset';
  if (value === Number.POSITIVE_INFINITY) return 'never';
  if (value instanceof Map) return [...value].map((pair) => pair.join('=')).join(',');
  return Array.isArray(value) ? value.join(',') : String(value);
}

/** What `--help` prints: flags, then one line per setting. */
export function helpText(): string {
  const lines = [
    'signalbox-gateway: holds every client connection of a SignalR service.',
    '',
    'Flags:',
    '  --help          this text',
    '  --version       the version',
    '  --print-config  the settings in force, secrets left out',
    '',
    'Settings are environment variables. Each line: name, what it must be, [default], what it means.',
  ];
  for (const group of settingGroups()) {
    lines.push('', `${group.title}:`);
    for (const { env, rule, fallback, doc } of group.settings) lines.push(`  ${env}: ${rule} [${fallback}]. ${doc}`);
  }
  return lines.join('\n');
}

/** What `--print-config` prints: the value of each setting as its variable would be written. */
export function configText(config: Config): string {
  return Object.entries(configValues(config))
    .map(([env, value]) => `${env}=${value}`)
    .join('\n');
}

/** The value of each setting as its variable would be written; of a secret only whether it is set. */
export function configValues(config: Config): Readonly<Record<string, string>> {
  const rows = Object.entries<Setting<unknown>>(settings);
  const pairs = rows.map(([key, row]) => {
    const value = shownValue(config[key as SettingName]);
    if (row.secret) return [row.env, value === 'unset' ? '(unset)' : '(set)'];
    return [row.env, value === 'unset' ? '' : value];
  });
  return Object.fromEntries(pairs) as Record<string, string>;
}
