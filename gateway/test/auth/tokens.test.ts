import fc from 'fast-check';
import { compactVerify, generateKeyPair, SignJWT } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Claims } from '../../src/auth/claims.ts';
import { importKeys } from '../../src/auth/keys.ts';
import { Tokens, type TokenUse } from '../../src/auth/tokens.ts';
import { type TokenRefusal, tokenRefusals } from '../../src/reasons.ts';
import { otherKey, sign, testKey } from './sign.ts';

const now = 1_700_000_100;
const client: TokenUse = { role: 'client', hub: 'chat' };
const times = { nbf: now - 100, iat: now - 100, exp: now + 3600 };
const valid = { ...times, aud: 'http://localhost/client/?hub=chat' };

let refused: string[];
beforeEach(() => {
  refused = [];
});

async function verify(
  token: string | undefined,
  use: TokenUse = client,
  options: { keys?: string[]; hosts?: string[] } = {},
): Promise<Claims> {
  const keys = await importKeys(options.keys ?? [testKey]);
  const events = { tokenRefused: (reason: string) => void refused.push(reason) };
  return new Tokens({ keys, hosts: options.hosts ?? [], events, now: () => now * 1000 }).verify(token, use);
}

async function expectRefusal(reason: TokenRefusal, verifying: Promise<unknown>): Promise<void> {
  await expect(verifying).rejects.toMatchObject({ code: 'unauthorized', status: 401, message: tokenRefusals[reason] });
  expect(refused).toEqual([reason]);
}

// The sample of the negotiate reference, section 4.2.
const sample =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjEifQ.eyJhc3JzLnMudWlkIjoidTEiLCJhc3JzLnMuZGVycm9yIjoiVHJ1ZSIsInJvbGUiOlsiYSIsImIiXSwibmJmIjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDAsImlhdCI6MTcwMDAwMDAwMCwiYXVkIjoiaHR0cDovL2xvY2FsaG9zdC9jbGllbnQvP2h1Yj1jaGF0In0.f2Z9cjv5F5uPQveRJTQcYHN0MlaiepiAh41Q3M43xRw';

it('the sample token of the official SDK is accepted in its time, with its claims in order', async () => {
  expect(await verify(sample)).toEqual([
    { name: 'asrs.s.uid', text: 'u1' },
    { name: 'asrs.s.derror', text: 'True' },
    { name: 'role', text: 'a' },
    { name: 'role', text: 'b' },
    { name: 'nbf', text: '1700000000' },
    { name: 'exp', text: '1700003600' },
    { name: 'iat', text: '1700000000' },
    { name: 'aud', text: 'http://localhost/client/?hub=chat' },
  ]);
});

describe('a signature', () => {
  it('may be HS256 or HS512, whatever the kid says', async () => {
    await verify(sign(valid, testKey, { alg: 'HS256', kid: 'x' }));
    await verify(sign(valid, testKey, { alg: 'HS512' }));
  });

  it('may be of any of the keys', async () => {
    const keys = [testKey, otherKey];
    await verify(sign(valid, testKey), client, { keys });
    await verify(sign(valid, otherKey), client, { keys });
    await expectRefusal('signature', verify(sign(valid, 'a key that nobody configured anywhere'), client, { keys }));
  });

  it('of a changed payload is refused', async () => {
    const [head, , seal] = sign(valid).split('.');
    const payload = Buffer.from(JSON.stringify({ ...valid, sub: 'admin' })).toString('base64url');
    await expectRefusal('signature', verify(`${head}.${payload}.${seal}`));
  });

  for (const alg of ['none', 'HS384', 'hs256', 'constructor']) {
    it(`with algorithm ${alg} is refused`, () => expectRefusal('algorithm', verify(sign(valid, testKey, { alg }))));
  }

  it('is judged by its own header, whatever header came before', async () => {
    const tokens = new Tokens({
      keys: await importKeys([testKey]),
      hosts: [],
      events: { tokenRefused: (reason) => void refused.push(reason) },
      now: () => now * 1000,
    });
    const [good, long, none] = ['HS256', 'HS512', 'none'].map((alg) => sign(valid, testKey, { alg }));
    for (const token of [good, good, long, good]) await tokens.verify(token, client);
    await expectRefusal('algorithm', tokens.verify(none, client));
    refused = [];
    await expectRefusal('signature', tokens.verify(`${good}A`, client));
    await tokens.verify(long, client);
  });

  it('of a key pair is refused', async () => {
    const { privateKey } = await generateKeyPair('RS256');
    const token = await new SignJWT(valid).setProtectedHeader({ alg: 'RS256' }).sign(privateKey);
    await expectRefusal('algorithm', verify(token));
  });
});

it('whatever is done to a token, it opens nothing that jose would refuse', async () => {
  const good = sign(valid);
  const chars = fc.constantFrom(...'Aa-_+/=. {"');
  const change = fc.record({ at: fc.nat(good.length), drop: fc.nat(3), put: fc.string({ unit: chars, maxLength: 3 }) });
  const changed = fc
    .array(change, { minLength: 1, maxLength: 2 })
    .map((changes) =>
      changes.reduce((text, { at, drop, put }) => text.slice(0, at) + put + text.slice(at + drop), good),
    );
  const ours = async (token: string): Promise<boolean> => {
    try {
      return (await verify(token)).length > 0;
    } catch {
      return false;
    }
  };
  const theirs = async (token: string): Promise<boolean> => {
    try {
      return (await compactVerify(token, Buffer.from(testKey), { algorithms: ['HS256'] })).payload.length > 0;
    } catch {
      return false;
    }
  };
  expect(await ours(good)).toBe(true);
  const refusedToo = async (token: string): Promise<void> => {
    if (await ours(token)) expect(await theirs(token)).toBe(true);
  };
  await fc.assert(fc.asyncProperty(changed, refusedToo), { numRuns: 1000 });
});

describe('a token', () => {
  it('must be there', async () => {
    await expectRefusal('missing', verify(undefined));
    refused = [];
    await expectRefusal('missing', verify(''));
  });

  for (const bad of ['x', 'a.b', 'a.b.c', '..', `${sample}.x`, `${sample} ${sample}`, sample.slice(0, 60)]) {
    it(`of the form ${bad.slice(0, 12)} (${bad.length}) is malformed`, () => expectRefusal('malformed', verify(bad)));
  }

  for (const payload of ['[]', '"x"', 'not JSON', '']) {
    it(`whose payload is ${JSON.stringify(payload)} is malformed`, () =>
      expectRefusal('malformed', verify(sign(payload))));
  }

  for (const crit of [['b64'], ['x'], [], 'x', null]) {
    it(`that demands ${JSON.stringify(crit)} to be understood is malformed`, () =>
      expectRefusal('malformed', verify(sign(valid, testKey, { crit, b64: true }))));
  }

  it.each(['https://login', 'Azure-SignalR', ''])(
    'with the issuer "%s" is refused, though its signature is right',
    (iss) => expectRefusal('issuer', verify(sign({ ...valid, iss }))),
  );

  it("may have the issuer that Microsoft's SDK names from 1.34 on", () =>
    verify(sign({ ...valid, iss: 'azure-signalr' })));
});

describe('time', () => {
  const at = (more: object): Promise<Claims> => verify(sign({ ...valid, ...more }));

  it('ends at exp, to the second', async () => {
    await at({ exp: now + 1 });
    await expectRefusal('expired', at({ exp: now }));
  });

  for (const exp of [undefined, null, 'soon', -1, true, '']) {
    it(`must have an end: exp ${JSON.stringify(exp)} is refused`, () => expectRefusal('expired', at({ exp })));
  }

  it('may end beyond all numbers only when it is written as one', () =>
    expectRefusal('expired', verify(sign(`{"exp":1e400,"aud":"${valid.aud}"}`))));

  for (const claim of ['nbf', 'iat']) {
    it(`may begin (${claim}) five minutes ahead, for clocks differ, but not more`, async () => {
      await at({ [claim]: now + 300 });
      await expectRefusal('not_yet_valid', at({ [claim]: now + 301 }));
    });
    it(`needs no ${claim}, but one that is no number is refused`, async () => {
      await at({ [claim]: undefined });
      await expectRefusal('not_yet_valid', at({ [claim]: 'x' }));
    });
  }
});

describe('the audience', () => {
  const api = (path: string): TokenUse => ({ role: 'api', path });
  const server: TokenUse = { role: 'server', hub: 'chat' };
  const withAud = (aud: unknown): string => sign({ ...times, aud });

  const accepted: [unknown, TokenUse][] = [
    ['http://localhost/client/?hub=chat', client],
    ['https://Other.Example:8443/client/?hub=chat', client],
    ['wss://h/client?hub=chat', client],
    ['http://h/client/?hub=CHAT&asrs.op=%2Fx', client],
    ['http://h/cl%69ent/?x=1&hub=chat', client],
    ['http://[::1]:8080/client/?hub=chat', client],
    [['http://h/server/?hub=chat', 'http://h/client/?hub=chat'], client],
    ['http://h/server/?hub=chat', server],
    ['http://h/api/v1/hubs/chat', api('/api/v1/hubs/chat')],
    ['http://h/api/v1/hubs/chat/', api('/api/v1/hubs/chat')],
    ['http://h/api/hubs/chat/:send?api-version=2022-06-01', api('/api/hubs/chat/:send')],
    ['http://h/api/hubs/chat/%3Asend', api('/api/hubs/chat/:send')],
    ['http://h/api/hubs/chat/:send', api('/api/hubs/Chat/:send')],
    ['http://h/api/hubs/chat/groups/a%2fb', api('/api/hubs/chat/groups/a%2Fb')],
    ['http://h/api/hubs/hubs/groups/G', api('/api/hubs/HUBS/groups/G')],
  ];
  for (const [aud, use] of accepted) {
    it(`${JSON.stringify(aud)} opens ${JSON.stringify(use)}`, async () => void (await verify(withAud(aud), use)));
  }

  const refusals: [unknown, TokenUse][] = [
    [undefined, client],
    ['', client],
    [[], client],
    ['chat', client],
    ['//h/client/?hub=chat', client],
    ['http://h/client/', client],
    ['http://h/client/?hub=other', client],
    ['http://h/client/?hub=other&hub=chat', client],
    ['http://h/Client/?hub=chat', client],
    ['http://h/client/x?hub=chat', client],
    ['http://h/x/../client/?hub=chat', client],
    ['http://h//client/?hub=chat', client],
    ['http://h/client%2F?hub=chat', client],
    ['http://h/client/%zz?hub=chat', client],
    ['http://h/client/?hub=chat', server],
    ['http://h/server/?hub=chat', client],
    ['http://h/client/?hub=chat', api('/api/hubs/chat/:send')],
    ['http://h/api/hubs/chat/:send', client],
    ['http://h/api/hubs/other/:send', api('/api/hubs/chat/:send')],
    ['http://h/api/hubs/chat', api('/api/hubs/chat/:send')],
    ['http://h/api/hubs/chat/groups/a/b', api('/api/hubs/chat/groups/a%2Fb')],
    ['http://h/api/hubs/chat/groups/G', api('/api/hubs/chat/groups/g')],
    ['http://h/api/hubs/hubs/groups/hubs/connections/G', api('/api/hubs/hubs/groups/hubs/connections/g')],
  ];
  for (const [aud, use] of refusals) {
    it(`${JSON.stringify(aud)} does not open ${JSON.stringify(use)}`, () =>
      expectRefusal('audience', verify(withAud(aud), use)));
  }

  it('may name any host until hosts are set, and then only these', async () => {
    const hosts = ['Signal.Example', '[::1]'];
    await verify(withAud('https://signal.example:8443/client/?hub=chat'), client, { hosts });
    await verify(withAud('http://[::1]:8080/client/?hub=chat'), client, { hosts });
    for (const host of ['evil.example', 'signal.example.evil', 'signal.example@evil', 'evil@signal.example']) {
      refused = [];
      await expectRefusal('audience', verify(withAud(`https://${host}/client/?hub=chat`), client, { hosts }));
    }
  });
});

describe('a token of a REST caller that was seen before', () => {
  const path = '/api/v1/hubs/chat';
  const use: TokenUse = { role: 'api', path };
  const token = sign({ ...times, aud: `http://localhost${path}` });

  /** Verifies with one and the same set of tokens; `clock` is in seconds. */
  async function rememberer(knownTokens: number) {
    const events = { tokenRefused: (reason: string) => void refused.push(reason) };
    const [key] = await importKeys([testKey]);
    const hashed: string[] = [];
    const counting = {
      ...key,
      signed: (...given: Parameters<typeof key.signed>) => hashed.push(given[1]) > 0 && key.signed(...given),
    };
    const clock = { seconds: now };
    const tokens = new Tokens({ keys: [counting], hosts: [], events, knownTokens, now: () => clock.seconds * 1000 });
    return { tokens, hashed, clock };
  }

  it('is not hashed again, and gives the same claims', async () => {
    const { tokens, hashed } = await rememberer(10);
    const claims = await tokens.verify(token, use);
    expect(await tokens.verify(token, use)).toBe(claims);
    expect(hashed).toHaveLength(1);
  });

  it('is hashed again where none are remembered, and when others took its place', async () => {
    const none = await rememberer(0);
    await none.tokens.verify(token, use);
    await none.tokens.verify(token, use);
    expect(none.hashed).toHaveLength(2);
    const one = await rememberer(1);
    await one.tokens.verify(token, use);
    await one.tokens.verify(sign({ ...times, aud: `http://localhost${path}`, jti: 'other' }), use);
    await one.tokens.verify(token, use);
    expect(one.hashed).toHaveLength(3);
  });

  it('expires all the same, and opens nothing else', async () => {
    const { tokens, clock } = await rememberer(10);
    await tokens.verify(token, use);
    await expectRefusal('audience', tokens.verify(token, { role: 'api', path: '/api/v1/hubs/other' }));
    refused = [];
    await expectRefusal('audience', tokens.verify(token, client));
    refused = [];
    clock.seconds = times.exp;
    await expectRefusal('expired', tokens.verify(token, use));
  });

  it('is none when its signature is wrong: a forged one is refused each time', async () => {
    const { tokens } = await rememberer(10);
    const forged = sign({ ...times, aud: `http://localhost${path}` }, otherKey);
    for (let i = 0; i < 2; i++)
      await expect(tokens.verify(forged, use)).rejects.toMatchObject({ code: 'unauthorized' });
    expect(refused).toEqual(['signature', 'signature']);
  });
});
