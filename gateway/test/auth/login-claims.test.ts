import { describe, expect, test } from 'vitest';
import { longNamed, renewedClaims } from '../../src/auth/login-claims.ts';

const nameIdentifier = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier';
const roleName = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';

describe('claims of a renewed login', () => {
  const before = [
    ['asrs.s.derror', 'True'],
    ['exp', '1'],
    [nameIdentifier, 'ann'],
    [roleName, 'reader'],
  ] as const;

  test('stay as they are when none are given', () => {
    expect(renewedClaims(before, [], 'ann')).toBe(before);
  });

  test('replace those of the app, and leave what the gateway and the token need', () => {
    const given = [
      ['nameid', 'ann'],
      ['role', 'a'],
      ['role', 'b'],
      ['asrs.s.derror', 'False'],
      ['exp', '9'],
    ] as const;
    expect(renewedClaims(before, given, 'ann')).toEqual([
      ['asrs.s.derror', 'True'],
      ['exp', '1'],
      ['nameid', 'ann'],
      ['role', 'a'],
      ['role', 'b'],
    ]);
  });

  test('are refused when they name another user, or nobody', () => {
    expect(renewedClaims(before, [[nameIdentifier, 'bob']], 'ann')).toBeUndefined();
    expect(renewedClaims(before, [[roleName, 'a']], 'ann')).toBeUndefined();
  });

  test.each(['nameid', 'sub', nameIdentifier])('name the user by %s', (name) => {
    expect(renewedClaims(before, [[name, 'ann']], 'ann')).toContainEqual([name, 'ann']);
    expect(renewedClaims(before, [[name, 'bob']], 'ann')).toBeUndefined();
  });

  test('may name anybody where the user id stands in a claim of its own', () => {
    const withUid = [['asrs.s.uid', 'ann'], ...before] as const;
    expect(renewedClaims(withUid, [[nameIdentifier, 'bob']], 'ann')).toContainEqual([nameIdentifier, 'bob']);
  });
});

test('claims have the names that .NET gives them, where it has one of its own', () => {
  const short = [
    ['nameid', 'ann'],
    ['role', 'a'],
    ['room', 'b'],
  ] as const;
  expect(longNamed(short)).toEqual([
    [nameIdentifier, 'ann'],
    [roleName, 'a'],
    ['room', 'b'],
  ]);
});
