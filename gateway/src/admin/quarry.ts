import type { Config } from '../config.ts';
import { GatewayError } from '../errors.ts';
import type { Quarry, Sight } from '../protocol/operator.ts';

/** The settings that bound what an operator may name. */
export type NameLimits = Pick<Config, 'groupNameChars' | 'userIdChars'>;

const hubChars = 257;
const connectionChars = 256;

/** What may be named beside the hub, and how long it may be. */
const kinds: Readonly<Record<'user' | 'group' | 'connection', (limits: NameLimits) => number>> = {
  user: ({ userIdChars }) => userIdChars,
  group: ({ groupNameChars }) => groupNameChars,
  connection: () => connectionChars,
};

const kindNames = Object.keys(kinds) as (keyof typeof kinds)[];

/**
 * Whom an operator means: `hub`, and one of `user`, `group`, `connection`. Without a hub: in every hub; without the other:
 * everybody.
 * @throws {GatewayError} `request_invalid`, `name_invalid`.
 */
export function readQuarry(read: (name: string) => unknown, limits: NameLimits): Quarry {
  const hub = text('hub', read('hub') ?? '', 0, hubChars).toLowerCase();
  const given = kindNames.filter((name) => read(name) !== undefined && read(name) !== '');
  if (given.length > 1) throw new GatewayError('request_invalid', `only one of ${kindNames.join(', ')} may be named`);
  const [kind] = given;
  if (kind === undefined) return { hub, of: { kind: 'all' } };
  return { hub, of: sight(kind, text(kind, read(kind), 1, kinds[kind](limits))) };
}

function sight(kind: keyof typeof kinds, name: string): Sight {
  if (kind === 'user') return { kind, user: name };
  return kind === 'group' ? { kind, group: name } : { kind, connection: name };
}

function text(name: string, value: unknown, least: number, most: number): string {
  if (typeof value !== 'string') throw new GatewayError('request_invalid', `"${name}" must be a text`);
  if (value.length >= least && value.length <= most) return value;
  throw new GatewayError('name_invalid', `"${name}" must be ${least} to ${most} characters, got ${value.length}`);
}
