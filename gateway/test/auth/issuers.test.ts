import { createHmac } from 'node:crypto';
import { exportSPKI, importJWK } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Claims } from '../../src/auth/claims.ts';
import { readClientClaims } from '../../src/auth/claims.ts';
import { parseIssuers } from '../../src/auth/issuer-settings.ts';
import { createIssuers } from '../../src/auth/issuers.ts';
import { importKeys } from '../../src/auth/keys.ts';
import { Tokens, type TokenUse } from '../../src/auth/tokens.ts';
import { readConfig } from '../../src/config.ts';
import { type TokenRefusal, tokenRefusals } from '../../src/reasons.ts';
import { type IssuerKey, issuerKey, OidcServer } from '../support/oidc-server.ts';
import { until } from '../support/until.ts';
import { sign, testKey } from './sign.ts';

const client: TokenUse = { role: 'client', hub: 'chat' };
let rsa: IssuerKey;
let ec: IssuerKey;
let edwards: IssuerKey;
let other: IssuerKey;
let provider: OidcServer;
let refused: string[];
let fetched: string[];
let warned: string[];

beforeAll(async () => {
  [rsa, ec, edwards, other] = await Promise.all([
    issuerKey('RS256', 'rsa'),
    issuerKey('ES256', 'ec'),
    issuerKey('EdDSA', 'edwards'),
    issuerKey('ES256', 'other'),
  ]);
});

beforeEach(async () => {
  [refused, fetched, warned] = [[], [], []];
  provider = await OidcServer.start(rsa, ec, edwards);
});
afterEach(() => provider.close());

/** The tokens of a service that takes those of the provider. `settings`: its members beside issuer and audiences. */
async function service(settings: object = {}, env: Readonly<Record<string, string>> = {}): Promise<Tokens> {
  const least = { issuer: provider.issuer, audiences: ['signalbox', 'also-signalbox'] };
  const events = {
    tokenRefused: (reason: string) => void refused.push(reason),
    issuerKeysFetched: (_: string, outcome: string) => void fetched.push(outcome),
  };
  const issuers = createIssuers({
    issuers: parseIssuers('SIGNALBOX_ISSUERS', JSON.stringify([{ ...least, ...settings }])),
    config: readConfig({ SIGNALBOX_ISSUER_COOLDOWN_MS: '10', ...env }),
    events,
    log: { warn: (text, facts) => void warned.push(`${text}: ${facts?.['why']}`) },
    fetch,
  });
  return new Tokens({ keys: await importKeys([testKey]), hosts: [], events, issuers });
}

async function expectRefusal(reason: TokenRefusal, verifying: Promise<Claims>): Promise<void> {
  const status = reason === 'issuer_down' ? 503 : 401;
  await expect(verifying).rejects.toMatchObject({ status, message: tokenRefusals[reason] });
  expect(refused).toEqual([reason]);
  refused = [];
}

const textOf = (claims: Claims, name: string): string[] =>
  claims.filter((claim) => claim.name === name).map(({ text }) => text);

describe('a token of a listed issuer', () => {
  test('opens a hub, whatever kind of key pair signed it', async () => {
    const tokens = await service();
    for (const key of [rsa, ec, edwards]) {
      const claims = await tokens.verify(await provider.token(key), client);
      expect(readClientClaims(claims).userId).toBe('ann');
    }
    expect(provider.fetches).toBe(1);
    expect(fetched).toEqual(['ok']);
  });

  test('needs no discovery when the settings say where the keys are', async () => {
    provider.discovery = { issuer: 'https://somebody.else' };
    await (await service({ jwksUrl: provider.jwksUrl })).verify(await provider.token(ec), client);
  });

  test('need not say which key, of several that fit', async () => {
    provider.publish(other, ec);
    const tokens = await service();
    await tokens.verify(await provider.token(ec, {}, { kid: undefined }), client);
    provider.publish(other);
    const alien = await issuerKey('ES256', 'alien');
    await expectRefusal('signature', tokens.verify(await provider.token(alien, {}, { kid: undefined }), client));
  });

  test('says nothing in the names of the gateway, which says who it is and who says so', async () => {
    const tokens = await service();
    const forged = {
      'asrs.s.uid': 'admin',
      'asrs.s.sn': 'a-server',
      'asrs.s.derror': 'True',
      'asrs.s.htt': '1',
      'ASRS.S.coae': 'true',
      'asrs.u.iss': 'https://trusted',
      nameid: 'admin',
      role: ['a', 'b'],
    };
    const claims = await tokens.verify(await provider.token(rsa, forged), client);
    expect(claims.filter(({ name }) => /^asrs/i.test(name))).toEqual([
      { name: 'asrs.s.uid', text: 'ann' },
      { name: 'asrs.u.iss', text: provider.issuer },
    ]);
    expect(textOf(claims, 'role')).toEqual(['a', 'b']);
    const said = readClientClaims(claims);
    expect(said).toMatchObject({ userId: 'ann', server: undefined, detailedErrors: false, transports: undefined });
  });

  test('names its user by the claim that the settings say, and never nobody', async () => {
    const tokens = await service({ userClaim: 'email', userPrefix: 'corp|' });
    const userOf = async (claims: object): Promise<string | undefined> =>
      readClientClaims(await tokens.verify(await provider.token(ec, claims), client)).userId;
    expect(await userOf({ email: 'ann@corp.example' })).toBe('corp|ann@corp.example');
    expect(await userOf({ email: 9_007_199_254_740 })).toBe('corp|9007199254740');
    await expectRefusal('claims', tokens.verify(await provider.token(ec), client));
    await expectRefusal('claims', tokens.verify(await provider.token(ec, { email: '' }), client));
  });

  test('ends the connection with itself when the settings say so', async () => {
    const exp = Math.floor(Date.now() / 1000) + 100;
    const token = await provider.token(ec, { exp: exp + 0.5 });
    const of = async (settings: object): Promise<number | undefined> =>
      readClientClaims(await (await service(settings)).verify(token, client)).authExpires;
    expect(await of({ closeOnExpiry: true })).toBe(exp * 1000);
    expect(await of({})).toBeUndefined();
  });
});

describe('refused is a token', () => {
  test('of an issuer that is not listed, or that only looks like it', async () => {
    const tokens = await service();
    for (const iss of ['https://evil.example', `${provider.issuer}/`, provider.issuer.toUpperCase(), undefined]) {
      await expectRefusal('issuer', tokens.verify(await provider.token(rsa, { iss }), client));
    }
    expect(provider.fetches).toBe(0);
  });

  test('for apps: it opens neither /api/ nor /server/', async () => {
    const tokens = await service({ audiences: ['http://h/api/hubs/chat/:send', 'http://h/server/?hub=chat'] });
    const api: TokenUse = { role: 'api', path: '/api/hubs/chat/:send' };
    for (const use of [api, { role: 'server', hub: 'chat' }] as const) {
      const aud = ['http://h/api/hubs/chat/:send', 'http://h/server/?hub=chat'];
      await expectRefusal('issuer', tokens.verify(await provider.token(rsa, { aud }), use));
    }
  });

  test('for another hub than the settings allow', async () => {
    const tokens = await service({ hubs: ['News', 'chat'] });
    await tokens.verify(await provider.token(ec), { role: 'client', hub: 'news' });
    await expectRefusal('hub', tokens.verify(await provider.token(ec), { role: 'client', hub: 'billing' }));
  });

  test('for another audience, or for none', async () => {
    const tokens = await service();
    await tokens.verify(await provider.token(ec, { aud: ['x', 'also-signalbox'] }), client);
    for (const aud of ['x', '', [], ['x', 'signalbox2'], 'signalbox '] as const) {
      await expectRefusal('audience', tokens.verify(await provider.token(ec, { aud: [...aud] }), client));
    }
    await expectRefusal('audience', tokens.verify(await provider.token(ec, { aud: undefined }), client));
    const ours = 'http://localhost/client/?hub=chat';
    await expectRefusal('audience', tokens.verify(await provider.token(ec, { aud: ours }), client));
  });

  test('without a claim that the settings demand', async () => {
    const tokens = await service({ claims: { email_verified: true, tenant: ['t1', 't2'], scope: '*' } });
    const good = { email_verified: true, tenant: ['t0', 't2'], scope: 'any' };
    await tokens.verify(await provider.token(ec, good), client);
    for (const wrong of [{ email_verified: false }, { tenant: 't3' }, { tenant: undefined }, { scope: undefined }]) {
      await expectRefusal('claims', tokens.verify(await provider.token(ec, { ...good, ...wrong }), client));
    }
  });

  test('before and after its time, but for the tolerance', async () => {
    const tokens = await service({ clockToleranceSeconds: 30 });
    const now = Math.floor(Date.now() / 1000);
    const at = async (times: object): Promise<Claims> => tokens.verify(await provider.token(ec, times), client);
    await at({ exp: now - 10 });
    await at({ nbf: now + 20, iat: now + 20 });
    await expectRefusal('expired', at({ exp: now - 31 }));
    await expectRefusal('expired', at({ exp: undefined }));
    await expectRefusal('not_yet_valid', at({ nbf: now + 120 }));
    await expectRefusal('not_yet_valid', at({ iat: now + 120 }));
  });

  test('that no key of the issuer signed', async () => {
    const tokens = await service();
    const alien = await issuerKey('RS256', 'rsa');
    await expectRefusal('signature', tokens.verify(await provider.token(alien), client));
    const good = await provider.token(rsa);
    await expectRefusal('signature', tokens.verify(`${good.slice(0, -6)}AAAAAA`, client));
    const [head, , seal] = good.split('.');
    const payload = Buffer.from(JSON.stringify({ iss: provider.issuer, sub: 'admin' })).toString('base64url');
    await expectRefusal('signature', tokens.verify(`${head}.${payload}.${seal}`, client));
  });

  test('whose key is of another algorithm than its header says', async () => {
    const tokens = await service();
    const [, payload, seal] = (await provider.token(rsa)).split('.');
    for (const alg of ['PS256', 'RS512', 'ES256', 'EdDSA']) {
      const head = Buffer.from(JSON.stringify({ alg, kid: 'rsa' })).toString('base64url');
      await expectRefusal('signature', tokens.verify(`${head}.${payload}.${seal}`, client));
    }
  });

  test('with an algorithm that the settings leave out', async () => {
    const tokens = await service({ algorithms: ['ES256'] });
    await tokens.verify(await provider.token(ec), client);
    await expectRefusal('algorithm', tokens.verify(await provider.token(rsa), client));
  });

  test('without a signature', async () => {
    const tokens = await service();
    const [, payload] = (await provider.token(rsa)).split('.');
    for (const alg of ['none', 'None', 'NONE', '']) {
      const head = Buffer.from(JSON.stringify({ alg, kid: 'rsa' })).toString('base64url');
      await expectRefusal('algorithm', tokens.verify(`${head}.${payload}.`, client));
    }
  });

  test('signed with a public key as if it were a secret', async () => {
    const tokens = await service();
    const publicKey = (await importJWK(rsa.jwk, 'RS256')) as CryptoKey;
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: provider.issuer, aud: 'signalbox', sub: 'ann', exp: now + 100 };
    const secrets = [await exportSPKI(publicKey), JSON.stringify(rsa.jwk), rsa.jwk.n ?? ''];
    for (const secret of secrets) {
      await expectRefusal('signature', tokens.verify(sign(claims, secret, { kid: 'rsa' }), client));
    }
    provider.published.push({
      kty: 'oct',
      kid: 'shared',
      alg: 'HS256',
      k: Buffer.from('x'.repeat(32)).toString('base64url'),
    });
    await expectRefusal('signature', tokens.verify(sign(claims, 'x'.repeat(32), { kid: 'shared' }), client));
    // A key of this service does not make it a token of the issuer either.
    await expectRefusal('issuer', tokens.verify(sign(claims, testKey), client));
  });

  test('that brings its own key, or says where to get it', async () => {
    const tokens = await service();
    const alien = await issuerKey('ES256', 'alien');
    const header = { jwk: alien.jwk, jku: 'https://evil.example/keys', x5u: 'https://evil.example/cert' };
    await expectRefusal('signature', tokens.verify(await provider.token(alien, {}, header), client));
  });

  test('that demands extensions, or is broken', async () => {
    const tokens = await service();
    const [head = '', payload, seal] = (await provider.token(ec)).split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as object;
    for (const crit of [['b64'], ['x'], []]) {
      const demanding = Buffer.from(JSON.stringify({ ...header, b64: false, crit })).toString('base64url');
      await expectRefusal('malformed', tokens.verify(`${demanding}.${payload}.${seal}`, client));
    }
    for (const bad of [
      `${head}.${payload}`,
      `${head}..${seal}`,
      `${head}.bm90IEpTT04.${seal}`,
      `${head}.${payload}.`,
    ]) {
      await expectRefusal('malformed', tokens.verify(bad, client));
    }
  });

  test('of an access key all the same, with its own rules', async () => {
    const tokens = await service();
    const now = Math.floor(Date.now() / 1000);
    const ours = { aud: 'http://h/client/?hub=chat', exp: now + 100 };
    await tokens.verify(sign(ours), client);
    await expectRefusal('audience', tokens.verify(sign({ ...ours, aud: 'signalbox' }), client));
    const [head, payload] = sign(ours).split('.');
    const seal = createHmac('sha384', testKey).update(`${head}.${payload}`).digest('base64url');
    await expectRefusal('signature', tokens.verify(`${head}.${payload}.${seal}`, client));
  });
});

describe('the keys of an issuer', () => {
  test('that rotate are fetched when a token comes that none of them signed', async () => {
    const tokens = await service();
    await tokens.verify(await provider.token(ec), client);
    provider.publish(rsa, other);
    const fresh = await provider.token(other);
    await until('the new key is known', () =>
      tokens.verify(fresh, client).then(
        () => true,
        () => false,
      ),
    );
    expect(provider.fetches).toBe(2);
    refused = [];
    await expectRefusal('signature', tokens.verify(await provider.token(ec), client));
  });

  test('that were taken out still say whose a connection is, and open none', async () => {
    const tokens = await service();
    const old = await provider.token(ec, { exp: Math.floor(Date.now() / 1000) + 1 });
    await tokens.verify(old, client);
    provider.publish(other);
    const fresh = await provider.token(other);
    await until('the new key is known', () =>
      tokens.verify(fresh, client).then(
        () => true,
        () => false,
      ),
    );
    refused = [];
    await expectRefusal('signature', tokens.verify(old, client));
    const later = await tokens.verify(old, { ...client, later: true });
    expect(readClientClaims(later).userId).toBe('ann');
    const alien = await issuerKey('ES256', 'ec');
    await expectRefusal('signature', tokens.verify(await provider.token(alien), { ...client, later: true }));
  });

  test('are not fetched for every hostile token', async () => {
    const tokens = await service({}, { SIGNALBOX_ISSUER_COOLDOWN_MS: '3600000' });
    const alien = await issuerKey('ES256', 'alien');
    const token = await provider.token(alien);
    await Promise.all(Array.from({ length: 50 }, () => expect(tokens.verify(token, client)).rejects.toThrow()));
    expect(provider.fetches).toBe(1);
    expect(refused).toEqual(Array.from({ length: 50 }, () => 'signature'));
  });

  test('that cannot be fetched at first make a refusal that may be tried again, and soon are there', async () => {
    const tokens = await service();
    provider.mood = 'fails';
    const token = await provider.token(ec);
    await expectRefusal('issuer_down', tokens.verify(token, client));
    expect(warned[0]).toContain('the keys of an issuer could not be fetched: ');
    expect(warned[0]).toContain('answered 500');
    provider.mood = 'answers';
    await until('the token is taken', () =>
      tokens.verify(token, client).then(
        () => true,
        () => false,
      ),
    );
    expect([fetched[0], fetched.at(-1)]).toEqual(['failed', 'ok']);
  });

  test('of an issuer that hangs are given up after their time', async () => {
    const tokens = await service({}, { SIGNALBOX_ISSUER_FETCH_MS: '50' });
    provider.mood = 'hangs';
    await expectRefusal('issuer_down', tokens.verify(await provider.token(ec), client));
    expect(warned[0]).toContain('timeout');
  });

  for (const [what, change, why] of [
    ['is of another issuer', { issuer: 'https://other.example' }, 'is of another issuer'],
    ['has no place of keys', { jwks_uri: undefined }, 'has no "jwks_uri"'],
    ['leads to an unsafe place', { jwks_uri: 'http://keys.example/' }, 'must be an https:// URL'],
  ] as const) {
    test(`are none when the discovery document ${what}`, async () => {
      provider.discovery = change;
      await expectRefusal('issuer_down', (await service()).verify(await provider.token(ec), client));
      expect(warned[0]).toContain(why);
    });
  }

  test('are none when the key set is too large, has too many keys, or is none', async () => {
    const key = JSON.stringify(ec.jwk);
    for (const [page, why] of [
      [`{"keys":[],"x":"${'x'.repeat(3000)}"}`, 'is larger than 2048 bytes'],
      [`{"keys":[${Array.from({ length: 65 }, () => '{}').join(',')}]}`, 'more than 64 keys'],
      [`{"keys":${key}}`, 'has no array "keys"'],
      ['[1]', 'has no array "keys"'],
      ['7', 'is no JSON object'],
      ['{"keys":', 'JSON'],
    ] as const) {
      provider.page = page;
      warned = [];
      await expectRefusal(
        'issuer_down',
        (await service({}, { SIGNALBOX_ISSUER_BYTES: '2048' })).verify(await provider.token(ec), client),
      );
      expect(warned[0]).toContain(why);
    }
  });
});
