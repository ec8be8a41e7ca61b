import { describe, expect, test } from 'vitest';
import { appClaims, userIdOf } from '../../src/hub/claims.ts';

const role = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';
const nameIdentifier = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier';

describe('claims', () => {
  const claims = appClaims([
    ['asrs.s.uid', 'u1'],
    [role, 'a'],
    ['tenant', 't'],
    ['role', 'b'],
    ['exp', '1700003600'],
    ['asrs.u.exp', 'mine'],
    [nameIdentifier, 'n'],
  ]);

  test('are ordered pairs under their short names, without those of the service and the token', () => {
    expect([...claims]).toEqual([
      ['role', 'a'],
      ['tenant', 't'],
      ['role', 'b'],
      ['exp', 'mine'],
      ['nameid', 'n'],
    ]);
  });

  test.each(['role', role, 'roles'])('answer to the short and the long name alike: %s', (name) => {
    expect([claims.get(name), claims.all(name)]).toEqual(['a', ['a', 'b']]);
    expect([claims.has(name), claims.has(name, 'b'), claims.has(name, 'c')]).toEqual([true, true, false]);
  });

  test('that are not there give nothing', () => {
    expect([claims.get('x'), claims.all('x'), claims.has('x')]).toEqual([undefined, [], false]);
  });
});

describe('the user of a connection', () => {
  test.each([
    [
      [
        ['sub', 's'],
        ['nameid', 'n'],
        ['asrs.s.uid', 'u'],
      ],
      'u',
    ],
    [
      [
        ['sub', 's'],
        ['nameid', 'n'],
      ],
      'n',
    ],
    [
      [
        ['sub', 's'],
        [nameIdentifier, 'n'],
      ],
      'n',
    ],
    [[['sub', 's']], 's'],
    [[['name', 'x']], undefined],
  ] as [[string, string][], string | undefined][])('of %j is %s', (pairs, user) => {
    expect(userIdOf(pairs)).toBe(user);
  });
});
