import { describe, expect, it } from 'vitest';
import { readClaims, readClientClaims } from '../../src/auth/claims.ts';

const read = (json: string) => readClaims(Buffer.from(json)).map(({ name, text }) => [name, text]);
const client = (claims: object) => readClientClaims(readClaims(Buffer.from(JSON.stringify(claims))));

describe('claims', () => {
  it('keep the text of numbers, however large or exact', () => {
    expect(read('{"nameid":9007199254740993,"a":1.50,"b":-0,"c":1E400}')).toEqual([
      ['nameid', '9007199254740993'],
      ['a', '1.50'],
      ['b', '-0'],
      ['c', '1E400'],
    ]);
  });

  it('keep their order, and the members of an array become claims of one name', () => {
    expect(read('{"role":["a","b"],"x":"1","n":[1,2.0,true,null,{"k":[3]},[4, 5]],"none":[]}')).toEqual([
      ['role', 'a'],
      ['role', 'b'],
      ['x', '1'],
      ['n', '1'],
      ['n', '2.0'],
      ['n', 'true'],
      ['n', ''],
      ['n', '{"k":[3]}'],
      ['n', '[4, 5]'],
    ]);
  });

  it('are cut at the outermost level only, whatever stands in strings', () => {
    expect(read(' { "a:,{" : "}\\",[" , "b" : { "c" : "]}," } , "é\\u00e9" : "\\ud83d\\ude00" } ')).toEqual([
      ['a:,{', '}",['],
      ['b', '{ "c" : "]}," }'],
      ['éé', '😀'],
    ]);
  });

  it('of an empty object are none, of a repeated name all', () => {
    expect(read('{}')).toEqual([]);
    expect(read('{"a":1,"a":2}')).toEqual([
      ['a', '1'],
      ['a', '2'],
    ]);
  });

  for (const bad of ['', '[]', '"text"', 'null', '{"a":1', '{"a":1}}', '{a:1}', '{"a":1}{"b":2}']) {
    it(`are refused when the payload is ${JSON.stringify(bad)}`, () => {
      expect(() => read(bad)).toThrow(SyntaxError);
    });
  }

  it('are refused when the payload is not UTF-8', () => {
    expect(() => readClaims(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toThrow(TypeError);
  });
});

describe('the user of a client', () => {
  const rows: [object, string | undefined][] = [
    [{ 'asrs.s.uid': 'u', nameid: 'n', sub: 's' }, 'u'],
    [{ sub: 's', nameid: 'n' }, 'n'],
    [{ sub: 's' }, 's'],
    [{}, undefined],
    [{ 'asrs.s.uid': '', nameid: 'n' }, undefined],
    [{ nameid: 12 }, '12'],
    [{ nameid: null }, undefined],
  ];
  for (const [claims, user] of rows) {
    it(`is ${user ?? 'nobody'} for ${JSON.stringify(claims)}`, () => expect(client(claims).userId).toBe(user));
  }
});

describe('what a client token asks of the gateway', () => {
  it('is nothing when it says nothing', () => {
    expect(client({ x: 1 })).toEqual({
      userId: undefined,
      detailedErrors: false,
      diagnostic: false,
      handshakeMs: undefined,
      pollIdleMs: undefined,
      transports: undefined,
      authExpires: undefined,
      server: undefined,
      sticky: undefined,
      all: [{ name: 'x', text: '1' }],
    });
  });

  it('may be detailed errors and diagnosis, in any case of "true"', () => {
    expect(client({ 'asrs.s.derror': 'True', 'asrs.s.dc': 'true' })).toMatchObject({
      detailedErrors: true,
      diagnostic: true,
    });
    expect(client({ 'asrs.s.derror': true }).detailedErrors).toBe(true);
    expect(client({ 'asrs.s.derror': 'no' }).detailedErrors).toBe(false);
  });

  for (const [claim, name, valid, invalid] of [
    ['asrs.s.cht', 'handshakeMs', ['1', 30], ['0', '31', '-1', '1.5', 'x', '']],
    ['asrs.s.ttl', 'pollIdleMs', ['1', 300], ['0', '301', 'x']],
  ] as const) {
    it(`may be ${name} within its range, and is not said outside of it`, () => {
      for (const value of valid) expect(client({ [claim]: value })[name]).toBe(Number(value) * 1000);
      for (const value of invalid) expect(client({ [claim]: value })[name]).toBeUndefined();
    });
  }

  it('may be a choice of transports, none among them', () => {
    for (const mask of [0, 1, 5, 7]) expect(client({ 'asrs.s.htt': mask }).transports).toBe(mask);
    expect(client({ 'asrs.s.htt': '8' }).transports).toBeUndefined();
  });

  it('may be an end with the login, but not without its time and not for a diagnostic client', () => {
    const ends = { 'asrs.s.coae': 'true', 'asrs.s.aeo': '1700000000' };
    expect(client(ends).authExpires).toBe(1_700_000_000_000);
    expect(client({ 'asrs.s.coae': 'true' }).authExpires).toBeUndefined();
    expect(client({ 'asrs.s.aeo': '1700000000' }).authExpires).toBeUndefined();
    expect(client({ ...ends, 'asrs.s.dc': 'true' }).authExpires).toBeUndefined();
  });

  it('may be an app server, preferred or required', () => {
    expect(client({ 'asrs.s.sn': 's', 'asrs.s.ssticky': 'Required' })).toMatchObject({
      server: 's',
      sticky: 'Required',
    });
    expect(client({ 'asrs.s.sn': 's' })).toMatchObject({ server: 's', sticky: 'Preferred' });
    expect(client({ 'asrs.s.ssticky': 'Required' })).toMatchObject({ server: undefined, sticky: undefined });
  });
});
