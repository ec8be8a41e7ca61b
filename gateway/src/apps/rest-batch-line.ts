import { MalformedError, parsePayloadJson } from '@signalbox/app-sdk/protocol';
import { GatewayError } from '../errors.ts';
import type { Address } from '../protocol/address.ts';
import type { Send } from '../protocol/command.ts';
import { payloadOf, textOf } from './rest-body.ts';
import { checkConnection, checkGroup, checkUser, type NameLimits } from './rest-names.ts';

/** How a place of the SDK's `Address` becomes addresses of the gateway: a list of groups is one send for each. */
type Places = Readonly<Record<string, (value: unknown, limits: NameLimits) => readonly Address[]>>;

const places: Places = {
  all(value) {
    if (value === true) return [{ kind: 'all' }];
    throw new GatewayError('request_invalid', '"all" must be true');
  },
  group: (value, limits) => [{ kind: 'group', group: checkGroup(text('group', value), limits) }],
  groups: (value, limits) =>
    texts('groups', value, limits).map((group) => ({ kind: 'group', group: checkGroup(group, limits) })),
  user: (value, limits) => [{ kind: 'user', user: checkUser(text('user', value), limits) }],
  users: (value, limits) => {
    const users = texts('users', value, limits).map((user) => checkUser(user, limits));
    return users.length === 0 ? [] : [{ kind: 'users', users }];
  },
  connection: (value) => [{ kind: 'connection', connection: checkConnection(text('connection', value)) }],
  connections: (value, limits) => {
    const connections = texts('connections', value, limits).map(checkConnection);
    return connections.length === 0 ? [] : [{ kind: 'connections', connections }];
  },
};

const placeNames = Object.keys(places).join(', ');

/**
 * The sends that one line of a batch asks for: `{"to":{…},"target":"…","arguments":[…]}`, `to` with exactly one place.
 * @throws {GatewayError} `request_invalid`, `name_invalid`.
 */
export function sendsOfLine(hub: string, line: Uint8Array, limits: NameLimits): readonly Send[] {
  try {
    const payload = payloadOf(parsePayloadJson(line));
    const { to } = JSON.parse(textOf(line)) as { to?: unknown };
    const { addresses, except } = readTo(to, limits);
    return addresses.map((one) => ({
      kind: 'send',
      hub,
      to: one,
      exceptConnections: except,
      exceptUsers: [],
      payload,
    }));
  } catch (error) {
    if (error instanceof MalformedError) throw new GatewayError('request_invalid', error.message);
    throw error;
  }
}

function readTo(to: unknown, limits: NameLimits): { addresses: readonly Address[]; except: readonly string[] } {
  if (typeof to !== 'object' || to === null) throw new GatewayError('request_invalid', '"to" must be an object');
  const { except, ...rest } = to as Readonly<Record<string, unknown>>;
  const [[name, value] = ['', undefined], second] = Object.entries(rest);
  const place = Object.hasOwn(places, name) ? places[name] : undefined;
  if (place === undefined || second !== undefined) {
    throw new GatewayError('request_invalid', `"to" must name exactly one of ${placeNames}`);
  }
  if (except !== undefined && name !== 'all' && name !== 'group') {
    throw new GatewayError('request_invalid', '"except" must stand beside "all" or "group"');
  }
  return { addresses: place(value, limits), except: except === undefined ? [] : readExcept(except, limits) };
}

function readExcept(value: unknown, limits: NameLimits): readonly string[] {
  return typeof value === 'string' ? [value] : texts('except', value, limits);
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw new GatewayError('request_invalid', `"${name}" must be a string`);
}

/** A list, each of its members once. */
function texts(name: string, value: unknown, { listLength }: NameLimits): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw new GatewayError('request_invalid', `"${name}" must be an array of strings`);
  }
  if (value.length <= listLength) return [...new Set<string>(value)];
  const rule = `"${name}" must hold at most ${listLength} (SIGNALBOX_LIST_LENGTH), got ${value.length}`;
  throw new GatewayError('request_invalid', rule);
}
