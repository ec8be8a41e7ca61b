import { describe, expect, test } from 'vitest';
import { issuerAlgorithms, parseIssuers, readIssuers } from '../../src/auth/issuer-settings.ts';
import { ConfigError } from '../../src/config.ts';

const least = { issuer: 'https://id.example', audiences: ['chat-api'] };
const parse = (...issuers: readonly object[]) => parseIssuers('SIGNALBOX_ISSUERS', JSON.stringify(issuers));

test('an issuer and its audience are enough', () => {
  expect(parse(least)).toEqual([
    {
      issuer: 'https://id.example',
      jwksUrl: undefined,
      algorithms: issuerAlgorithms,
      audiences: ['chat-api'],
      claims: new Map(),
      userClaim: 'sub',
      userPrefix: '',
      hubs: undefined,
      clockToleranceSeconds: 60,
      closeOnExpiry: false,
      allowHttp: false,
    },
  ]);
});

test('everything can be said, and one text counts as a list of one', () => {
  const full = {
    issuer: 'partner',
    jwksUrl: 'http://keys.internal/jwks',
    algorithms: 'ES256',
    audiences: 'a',
    claims: { email_verified: true, tenant: ['t1', 7], scope: '*' },
    userClaim: 'email',
    userPrefix: 'partner|',
    hubs: ['Chat', 'news'],
    clockToleranceSeconds: 0,
    closeOnExpiry: true,
    allowHttp: true,
  };
  expect(parse(full)).toEqual([
    {
      ...full,
      algorithms: ['ES256'],
      audiences: ['a'],
      claims: new Map([
        ['email_verified', ['true']],
        ['tenant', ['t1', '7']],
        ['scope', []],
      ]),
      hubs: new Set(['chat', 'news']),
    },
  ]);
});

test('without the settings there are none', () => {
  expect(readIssuers({ issuers: undefined, issuersFile: undefined })).toEqual([]);
});

test('both settings, and a file that is not there, are refused', () => {
  expect(() => readIssuers({ issuers: '[]', issuersFile: '/x' })).toThrow(
    new ConfigError('SIGNALBOX_ISSUERS and SIGNALBOX_ISSUERS_FILE must not both be set'),
  );
  expect(() => readIssuers({ issuers: undefined, issuersFile: '/no/such/file' })).toThrow(
    new ConfigError('SIGNALBOX_ISSUERS_FILE must name a file that can be read, got /no/such/file (ENOENT)'),
  );
});

describe('a wrong setting is one line with the place, the rule and the value', () => {
  const algorithms = issuerAlgorithms.join(', ');
  test.each<[object, string]>([
    [{ audiences: 'a' }, 'issuer must be the "iss" of its tokens, got nothing'],
    [{ issuer: 'https://id.example' }, 'audiences must be one audience or a list of them, got nothing'],
    [{ ...least, audiences: [] }, 'audiences must be one audience or a list of them, got []'],
    [{ ...least, audiences: [''] }, 'audiences must be one audience or a list of them, got [""]'],
    [{ ...least, algorithms: 'HS256' }, `algorithms must be some of ${algorithms}, got "HS256"`],
    [{ ...least, algorithms: ['none'] }, `algorithms must be some of ${algorithms}, got ["none"]`],
    [{ ...least, algorithms: [] }, `algorithms must be some of ${algorithms}, got []`],
    [
      { ...least, claims: { a: {} } },
      'claims must be an object of claims, each with a value, a list of values, or "*", got {"a":{}}',
    ],
    [{ ...least, userClaim: 7 }, 'userClaim must be the name of a claim, got 7'],
    [{ ...least, hubs: [] }, 'hubs must be a hub or a list of hubs, got []'],
    [{ ...least, clockToleranceSeconds: 601 }, 'clockToleranceSeconds must be a number from 0 to 600, got 601'],
    [{ ...least, closeOnExpiry: 'yes' }, 'closeOnExpiry must be true or false, got "yes"'],
    [{ ...least, issuer: 'partner' }, 'issuer, without "jwksUrl", must be an https:// URL, got "partner"'],
    [{ ...least, jwksUrl: 'ftp://k' }, 'jwksUrl must be an https:// URL, got "ftp://k"'],
    [{ ...least, jwksUrl: 'https://a:b@k/' }, 'jwksUrl must be a URL without user and password, got "https://a:b@k/"'],
    [{ ...least, jwksUrl: 'http://k/' }, 'jwksUrl must be an https:// URL, or have "allowHttp": true, got "http://k/"'],
  ])('%j', (issuer, sentence) => {
    expect(() => parse(issuer)).toThrow(new ConfigError(`SIGNALBOX_ISSUERS[0].${sentence}`));
  });

  test('of the form of the whole', () => {
    const refuses = (text: string, sentence: string): void =>
      expect(() => parseIssuers('SIGNALBOX_ISSUERS', text)).toThrow(new ConfigError(`SIGNALBOX_ISSUERS${sentence}`));
    refuses('[{', ' must be valid JSON');
    refuses('{}', ' must be a JSON array of issuers');
    refuses('[7]', '[0] must be an object with "issuer" and "audiences"');
    refuses(JSON.stringify([least, least]), ' must name each issuer once, got https://id.example twice');
    expect(() => parse({ ...least, secret: 'x' })).toThrow(/^SIGNALBOX_ISSUERS\[0\] must have only .*, got "secret"$/);
  });
});
