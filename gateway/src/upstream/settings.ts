import { type Config, ConfigError } from '../config.ts';
import { textOrFile } from '../config-file.ts';
import { parsePattern, placeholders, type Template } from './url-template.ts';

/** Names of members in lower case → what they say. The second of each is that of the emulator and of Azure. */
const members: ReadonlyMap<string, 'url' | 'hub' | 'category' | 'event' | 'auth'> = new Map([
  ['url', 'url'],
  ['urltemplate', 'url'],
  ['hub', 'hub'],
  ['hubpattern', 'hub'],
  ['category', 'category'],
  ['categorypattern', 'category'],
  ['event', 'event'],
  ['eventpattern', 'event'],
  ['auth', 'auth'],
]);

const categories = ['connections', 'messages'];
/** Scheme and authority, then path and query; printable ASCII without blanks, braces only around placeholders. */
const urlForm = /^(https?:\/\/[^/?#\s{}@]+)((?:\/|\?)[!-~]*)?$/i;

/**
 * The templates of SIGNALBOX_UPSTREAM or SIGNALBOX_UPSTREAM_FILE, in their order.
 * @throws {ConfigError} naming the setting, the place in it and the rule. URLs may hold secrets and are not shown.
 */
export function readUpstream(config: Pick<Config, 'upstream' | 'upstreamFile'>): readonly Template[] {
  const given = textOrFile('SIGNALBOX_UPSTREAM', config.upstream, config.upstreamFile);
  return given === undefined ? [] : parseUpstream(given.setting, given.text);
}

/**
 * Reads one URL template, or a JSON array of templates, or the settings file of the emulator.
 * @param setting its name, for the texts.
 * @throws {ConfigError} as {@link readUpstream}.
 */
export function parseUpstream(setting: string, text: string): readonly Template[] {
  const trimmed = text.trim();
  if (!/^[[{]/.test(trimmed)) return [readTemplate(setting, { url: trimmed })];
  return listOf(setting, parseJson(setting, trimmed)).map((item, at) => readTemplate(`${setting}[${at}]`, item));
}

function parseJson(setting: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError(`${setting} must be a URL template or valid JSON`);
  }
}

/** The emulator wraps the list twice, Azure's management API once. */
function listOf(setting: string, json: unknown): readonly unknown[] {
  let list = json;
  for (const name of ['upstreamsettings', 'templates']) list = memberOf(list, name) ?? list;
  if (Array.isArray(list)) return list;
  throw new ConfigError(`${setting} must be an array of templates, or an object with "Templates"`);
}

function memberOf(value: unknown, lowerName: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.entries(value).find(([name]) => name.toLowerCase() === lowerName)?.[1];
}

function readTemplate(place: string, item: unknown): Template {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) {
    throw new ConfigError(`${place} must be an object with "url"`);
  }
  const given = new Map<string, unknown>();
  for (const [name, value] of Object.entries(item)) {
    const known = members.get(name.toLowerCase());
    if (known === undefined) throw new ConfigError(`${place} must have only url, hub, category, event, got "${name}"`);
    given.set(known, value);
  }
  checkAuth(place, given.get('auth'));
  return {
    ...readUrl(place, given.get('url')),
    hub: parsePattern(patternText(`${place}.hub`, given.get('hub'))?.toLowerCase()),
    category: readCategory(`${place}.category`, given.get('category')),
    event: parsePattern(patternText(`${place}.event`, given.get('event'))),
  };
}

function patternText(place: string, value: unknown): string | null | undefined {
  if (value === undefined || value === null || typeof value === 'string') return value;
  throw new ConfigError(`${place} must be a string: * or names between commas`);
}

function readCategory(place: string, value: unknown): Template['category'] {
  const pattern = parsePattern(patternText(place, value));
  const wrong = pattern === 'every' ? undefined : [...pattern].find((name) => !categories.includes(name));
  if (wrong === undefined) return pattern;
  throw new ConfigError(`${place} must be *, connections or messages, got "${wrong}"`);
}

function checkAuth(place: string, auth: unknown): void {
  const type = memberOf(auth, 'type') ?? auth;
  if (type === undefined || type === null || String(type).toLowerCase() === 'none') return;
  throw new ConfigError(`${place}.auth must be none: managed identities are Azure's`);
}

function readUrl(place: string, value: unknown): Pick<Template, 'origin' | 'path'> {
  const match = typeof value === 'string' ? urlForm.exec(value) : null;
  const authority = match?.[1];
  if (authority === undefined || !URL.canParse(authority)) {
    throw new ConfigError(
      `${place} must be a URL template: http:// or https://, a host without user and placeholders, then a path of printable ASCII`,
    );
  }
  const path = match?.[2] ?? '/';
  const stray = path.replace(/\{(\w+)\}/g, (all, name: string) => (isPlaceholder(name) ? '' : all)).match(/[{}]\w*\}?/);
  if (stray !== null)
    throw new ConfigError(`${place} must have no placeholders but {hub}, {category}, {event}, got ${stray[0]}`);
  if (path.includes('#')) throw new ConfigError(`${place} must have no fragment`);
  return { origin: new URL(authority).origin, path: path.startsWith('/') ? path : `/${path}` };
}

function isPlaceholder(name: string): boolean {
  return (placeholders as readonly string[]).includes(name);
}
