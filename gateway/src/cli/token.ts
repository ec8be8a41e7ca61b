import { SignJWT } from 'jose';
import { importKeys } from '../auth/keys.ts';
import { quoted, wholeNumber } from './arguments.ts';
import { type Arguments, type Command, Misuse, type Surroundings } from './command.ts';
import { asMisuse, connectionStringOf, serviceOf } from './service.ts';

const longestTtl = 365 * 86_400;
const usualTtl = 3600;

/** Makes a token that the service takes. */
export const tokenCommand: Command = {
  summary: 'Make a token from SIGNALBOX_CONNECTION_STRING: for a client, for REST, or for a link.',
  usage: '<client | rest | server> [options]',
  kinds: {
    client: 'Opens /client/ of the hub; printed with the URL to connect to.',
    rest: 'Opens one path of the REST API, which --path names.',
    server: 'Opens /server/ of the hub, for a link of an app server.',
  },
  about: ['Whoever has a token may do what it says until it ends: print none into a log.'],
  options: {
    hub: { kind: 'text', value: 'hub', doc: 'Name of the hub.' },
    user: { kind: 'text', value: 'id', doc: 'Of a client: its user. Default: anonymous. Of a server: its id.' },
    claim: { kind: 'texts', value: 'name=value', doc: 'Of a client: one more claim. May be given several times.' },
    path: { kind: 'text', value: 'path', doc: 'Of rest: the path, such as /api/hubs/chat/:send.' },
    ttl: { kind: 'text', value: 'seconds', doc: `How long it may be used. Default: ${usualTtl}.` },
    json: { kind: 'flag', doc: 'As a JSON object with url and accessToken.' },
  },
  positionals: { least: 1, most: 1 },
  async run(given, around) {
    const [kind = ''] = given.positionals;
    const made = await makerOf(kind)(
      given,
      around,
      wholeNumber('ttl', given.text('ttl') ?? `${usualTtl}`, 1, longestTtl),
    );
    if (given.flag('json')) around.out(JSON.stringify(made));
    else around.out(kind === 'client' ? `${made.url}\n${made.accessToken}` : made.accessToken);
  },
};

interface Made {
  readonly url: string;
  readonly accessToken: string;
}

type Maker = (given: Arguments, around: Surroundings, ttl: number) => Promise<Made>;

const makers: Readonly<Record<string, Maker>> = { client: clientToken, rest: restToken, server: serverToken };

function makerOf(kind: string): Maker {
  const maker = Object.hasOwn(makers, kind) ? makers[kind] : undefined;
  if (maker === undefined) throw new Misuse(`the kind of token must be client, rest or server, got ${quoted(kind)}`);
  return maker;
}

/** As an app's negotiate would answer. */
async function clientToken(given: Arguments, around: Surroundings, ttl: number): Promise<Made> {
  refuse(given, 'path', 'client');
  await using service = serviceOf(around, given.need('hub'));
  const userId = given.text('user');
  const claims = Object.fromEntries(given.texts('claim').map(claimOf));
  try {
    const { url, accessToken } = await service.negotiate({ ...(userId && { userId }), claims, lifetimeSeconds: ttl });
    return { url, accessToken };
  } catch (error) {
    throw asMisuse(error);
  }
}

function claimOf(text: string): [string, string] {
  const cut = text.indexOf('=');
  if (cut < 1) throw new Misuse(`--claim must be name=value, got ${quoted(text)}`);
  return [text.slice(0, cut), text.slice(cut + 1)];
}

function restToken(given: Arguments, around: Surroundings, ttl: number): Promise<Made> {
  for (const option of ['hub', 'user', 'claim']) refuse(given, option, 'rest');
  const path = given.need('path');
  if (!path.startsWith('/api/')) throw new Misuse(`--path must begin with /api/, got ${quoted(path)}`);
  return signed(around, path, ttl, {});
}

function serverToken(given: Arguments, around: Surroundings, ttl: number): Promise<Made> {
  for (const option of ['path', 'claim']) refuse(given, option, 'server');
  const user = given.text('user');
  const path = `/server/?hub=${encodeURIComponent(given.need('hub').toLowerCase())}`;
  return signed(around, path, ttl, user === undefined ? {} : { nameid: user });
}

function refuse(given: Arguments, option: string, kind: string): void {
  if (given.texts(option).length > 0) throw new Misuse(`--${option} says nothing for a token of kind ${kind}`);
}

async function signed(
  around: Surroundings,
  path: string,
  ttl: number,
  claims: Readonly<Record<string, string>>,
): Promise<Made> {
  const { endpoint, serverEndpoint, accessKey } = connectionStringOf(around).parts;
  const [key] = await importKeys([accessKey]);
  const now = Math.floor(Date.now() / 1000);
  const aud = `${endpoint.protocol}//${endpoint.hostname}${path}`;
  const token = new SignJWT({ ...claims, nbf: now, iat: now, exp: now + ttl, aud });
  const accessToken = await token
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: key.fingerprint })
    .sign(key.signer);
  return { url: (serverEndpoint ?? endpoint).href.replace(/\/$/, '') + path, accessToken };
}
