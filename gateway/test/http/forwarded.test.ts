import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRange } from '../../src/config-ranges.ts';
import { createHttpServer, type HttpServer } from '../../src/http.ts';
import { type Sender, TrustedProxies } from '../../src/http-forwarded.ts';
import { head, raw } from './raw.ts';

const near = '10.0.0.1';
const far = '203.0.113.9';

/** What is made of a request that comes from `peer` with these headers. */
function sender(
  peer: string,
  headers: Readonly<Record<string, string>> = {},
  ranges = ['10.0.0.0/8', 'fd00::/8'],
): Sender {
  const header = (name: string): string | undefined => ({ host: 'inner', ...headers })[name];
  return new TrustedProxies(ranges).sender({ peer, scheme: 'http', header });
}

const addressBehind = (list: string, peer = near): string => sender(peer, { 'x-forwarded-for': list }).address;

describe('an address', () => {
  test.each([
    ['203.0.113.9', far],
    ['203.0.113.9:4711', far],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['::ffff:203.0.113.9', far],
    ['0000:0000:0000:0000:0000:ffff:cb00:7109', far],
  ])('%s of a trusted proxy is %s', (said, address) => {
    expect(addressBehind(said)).toBe(address);
  });

  test.each([
    'unknown',
    '_hidden',
    '',
    '203.0.113',
    '203.0.113.256',
    'fe80::1%eth0',
    '[203.0.113.9]x',
    '1:2',
    'a.example',
  ])('%j is none: the proxy itself is the client', (said) => {
    expect(addressBehind(said)).toBe(near);
  });

  test('is the last one that is no proxy of ours, whatever stands before it', () => {
    expect(addressBehind(`1.1.1.1, ${far}`)).toBe(far);
    expect(addressBehind(`1.1.1.1, ${far}, 10.2.3.4, fd00::7`)).toBe(far);
    expect(addressBehind('10.2.3.4, 10.2.3.5')).toBe('10.2.3.4');
    expect(addressBehind(`${far}, nonsense, 10.2.3.4`)).toBe('10.2.3.4');
    expect(addressBehind(far, '::ffff:10.0.0.1')).toBe(far);
    expect(addressBehind(far, '0000:0000:0000:0000:0000:ffff:0a00:0001')).toBe(far);
  });

  test('that the socket has in a long form is told in its short one', () => {
    expect(sender('0000:0000:0000:0000:0000:0000:0000:0001', {}, []).address).toBe('::1');
    expect(sender('0000:0000:0000:0000:0000:ffff:7f00:0001', {}, []).address).toBe('127.0.0.1');
  });
});

describe('scheme and host', () => {
  const said = (headers: Readonly<Record<string, string>>): [string, string | undefined] => {
    const { scheme, host } = sender(near, headers);
    return [scheme, host];
  };

  test('are what the outermost proxy of ours says', () => {
    expect(said({ 'x-forwarded-proto': 'https', 'x-forwarded-host': 'chat.example' })).toEqual([
      'https',
      'chat.example',
    ]);
    expect(said({ 'x-forwarded-proto': 'HTTPS' })).toEqual(['https', 'inner']);
    // One that adds to what the client forged: its own word stands last.
    expect(said({ 'x-forwarded-for': far, 'x-forwarded-proto': 'https, http' })).toEqual(['http', 'inner']);
    expect(said({ 'x-forwarded-for': far, 'x-forwarded-host': 'evil.example, chat.example' })).toEqual([
      'http',
      'chat.example',
    ]);
    // Two of ours, each with a word.
    expect(said({ 'x-forwarded-for': `${far}, 10.9.9.9`, 'x-forwarded-proto': 'https, http' })).toEqual([
      'https',
      'inner',
    ]);
  });

  test('are their own when a proxy says nothing, or what they cannot be', () => {
    for (const proto of ['ftp', '', 'https://', 'javascript'])
      expect(said({ 'x-forwarded-proto': proto })[0]).toBe('http');
    for (const host of ['', 'a b', 'a/b', 'x@y', 'a:b', '"', 'é', `${'a'.repeat(254)}`]) {
      expect(said({ 'x-forwarded-host': host })[1]).toBe('inner');
    }
    expect(said({ 'x-forwarded-host': '[::1]:8443' })[1]).toBe('[::1]:8443');
  });
});

describe('for any headers', () => {
  const part = fc.string({ unit: fc.constantFrom(...'0123456789abcdef.:[]%, _xX"'), maxLength: 12 });
  const address = fc.oneof(fc.ipV4(), fc.ipV6(), part, fc.constant(near), fc.constant('fd00::1'));
  const list = fc.array(address, { maxLength: 6 }).map((items) => items.join(', '));
  const headers = fc.record({
    'x-forwarded-for': list,
    'x-forwarded-proto': fc.oneof(part, fc.constant('https'), fc.constant('http, https')),
    'x-forwarded-host': fc.oneof(part, fc.constant('a.example'), fc.string()),
  });
  const outside = fc.ipV4().filter((one) => !one.startsWith('10.'));

  test('nothing of them counts when they come from nobody trusted', () => {
    fc.assert(
      fc.property(outside, headers, (peer, said) => {
        expect(sender(peer, said)).toEqual({ address: peer, scheme: 'http', host: 'inner' });
        expect(sender(near, said, [])).toEqual({ address: near, scheme: 'http', host: 'inner' });
      }),
    );
  });

  test('what a client puts in front changes nothing, once a proxy of ours has added its address', () => {
    fc.assert(
      fc.property(list, outside, (forged, client) => {
        expect(addressBehind(`${forged}, ${client}`)).toBe(client);
        expect(addressBehind(`${forged}, ${client}, 10.1.1.1`)).toBe(client);
      }),
    );
  });

  test('the answer is an address, a scheme and a host that can stand in a URL', () => {
    fc.assert(
      fc.property(headers, (said) => {
        const { address: found, scheme, host } = sender(near, said);
        expect(readRange(found)).toBeDefined();
        expect(new URL(`${scheme}://${host}`).protocol).toBe(`${scheme}:`);
      }),
    );
  });
});

describe('a range', () => {
  test.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['0.0.0.0/0', '8.8.8.8', true],
    ['fd00::/8', 'fdff::1', true],
    ['fd00::/8', 'fe00::1', false],
    ['2001:db8::/127', '2001:db8::1', true],
    ['2001:db8::/127', '2001:db8::2', false],
    ['10.0.0.0/8', 'fd00::1', false],
  ])('%s with %s in it: %s', (range, peer, trusted) => {
    expect(sender(peer, { 'x-forwarded-for': far }, [range]).address).toBe(trusted ? far : peer);
  });

  test.each([
    '',
    '10.0.0.0/33',
    '::/129',
    '10.0.0',
    '10.0.0.0/',
    '10.0.0.0/-1',
    'a.example',
    'fe80::1%eth0',
    '10.0.0.0/8/8',
  ])('%j is none', (text) => {
    expect(readRange(text)).toBeUndefined();
  });
});

describe('over a socket', () => {
  const servers: HttpServer[] = [];
  const ports: number[] = [];

  beforeAll(async () => {
    for (const ranges of [[], ['127.0.0.0/8', '10.0.0.0/8']]) {
      const trustedProxies = new TrustedProxies(ranges);
      const server = await createHttpServer({ trustedProxies, bodyBytes: 1, defect: () => undefined });
      server.mount(({ sender: { address, scheme, host } }) => ({ status: 200, body: `${address} ${scheme} ${host}` }));
      ports.push(await server.listen('127.0.0.1', 0, true));
      servers.push(server);
    }
  });
  afterAll(() => {
    for (const server of servers) server.close();
  });

  const said = ['X-Forwarded-For: 6.6.6.6', `X-Forwarded-For: ${far}, 10.1.1.1`, 'X-Forwarded-Proto: https, https'];
  const asked = async (port = 0): Promise<string> => {
    const socket = await raw(port, head('GET /', ...said));
    const answer = await socket.until(' gateway');
    socket.socket.destroy();
    return answer.split('\r\n\r\n')[1] ?? '';
  };

  test('a server without trusted proxies goes by the socket', async () => {
    expect(await asked(ports[0])).toBe('127.0.0.1 http gateway');
  });

  test('one that trusts goes by the headers, repeated ones too', async () => {
    expect(await asked(ports[1])).toBe(`${far} https gateway`);
  });
});
