import {
  connectedBody,
  disconnectedBody,
  hubProtocol,
  isWebhookSignature,
  MalformedError,
  readDisconnectedBody,
  readWebhookHead,
  readWebhookInvocation,
  type WebhookClient,
  webhookProtocol,
  webhookSignature,
  writeWebhookClient,
  writeWebhookEvent,
} from '@signalbox/app-sdk/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const key = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH';

describe('the signature', () => {
  test.each([
    ['conn1', [key], 'sha256=8de7281e588e23b0a30a7180ffa240257b8176e983004c240c9f3f7a7233c993'],
    [
      '0f9c97a2f0bf4706afe87a14e0797b11',
      [key],
      'sha256=8805d739a12d46f22bcb15382a8c1c2bf38ae8f04566017bd613d5ef47cafe2c',
    ],
    [
      'conn1',
      [key, 'secondary-key'],
      'sha256=8de7281e588e23b0a30a7180ffa240257b8176e983004c240c9f3f7a7233c993,sha256=885df3df1b2b910fe88b696754379277e42ec15172131c789664f9b0b0a2eee1',
    ],
  ])('of %s by %j is that of the reference', (connectionId, keys, header) => {
    expect(webhookSignature(keys, connectionId)).toBe(header);
    for (const one of keys) expect(isWebhookSignature(header, [one], connectionId)).toBe(true);
    expect(
      isWebhookSignature(header.toUpperCase().replaceAll('SHA256', 'sha256'), ['other', ...keys], connectionId),
    ).toBe(true);
  });

  test('of another connection or key, a part of one, or none is refused', () => {
    const good = webhookSignature([key], 'conn1');
    expect(isWebhookSignature(good, [key], 'conn2')).toBe(false);
    expect(isWebhookSignature(good, ['secondary-key'], 'conn1')).toBe(false);
    expect(isWebhookSignature(good, [], 'conn1')).toBe(false);
    for (const bad of [
      undefined,
      '',
      'sha256=',
      good.slice(0, -2),
      good.slice(7),
      `sha1=${good.slice(7)}`,
      `${good}00`,
    ]) {
      expect(isWebhookSignature(bad, [key], 'conn1'), bad).toBe(false);
    }
  });
});

const nobody: WebhookClient = { connectionId: 'c', hub: 'chat', userId: undefined, claims: [], query: '' };

function roundTrip(client: Partial<WebhookClient>, event = 'e') {
  const pairs = [...writeWebhookClient({ ...nobody, ...client }, 's'), ...writeWebhookEvent('messages', event)];
  for (const [name, value] of pairs) expect(value, name).toMatch(/^[ -~]*$/);
  const headers = new Map(pairs.map(([name, value]) => [name, value.trim()]));
  return { headers, head: readWebhookHead((name) => headers.get(name)) };
}

describe('the headers', () => {
  test('stand only where there is something to say', () => {
    expect([...roundTrip({}).headers]).toEqual([
      ['x-asrs-connection-id', 'c'],
      ['x-asrs-hub', 'chat'],
      ['x-asrs-signature', 's'],
      ['x-asrs-category', 'messages'],
      ['x-asrs-event', 'e'],
    ]);
  });

  test('carry claims in their order, repeated ones too', () => {
    const claims = [
      ['sub', 'u1'],
      ['role', 'a'],
      ['role', 'b'],
      ['url', 'http://x: y'],
    ] as const;
    const { headers, head } = roundTrip({ claims });
    expect(headers.get('x-asrs-user-claims')).toBe('sub: u1, role: a, role: b, url: http://x: y');
    expect(head?.claims).toEqual(claims);
  });

  test('never let the value of a claim pass for another claim', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const { head } = roundTrip({ claims: [['name', value]] });
        expect(head?.claims.map(([name]) => name)).toEqual(['name']);
      }),
    );
    expect(roundTrip({ claims: [['name', 'x, role: admin']] }).head?.claims).toEqual([['name', 'x, role: admin']]);
  });

  test('carry every user id so that it comes back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (userId) => {
        expect(roundTrip({ userId }).head?.userId).toBe(userId);
      }),
    );
    const hard = ['ä', '%C3%A4', '%25', '%2525', ' x ', '100%', 'a\r\nX-Evil: 1', '%0A', '日本'];
    for (const userId of hard) expect(roundTrip({ userId }).head?.userId).toBe(userId);
    expect(roundTrip({ userId: 'a b/100%' }).headers.get('x-asrs-user-id')).toBe('a b/100%');
  });

  test('escape what is no printable ASCII in a target and a query', () => {
    const { headers, head } = roundTrip({ query: 'hub=chat&a=ü\n' }, 'Grüße\r\nx: 1');
    expect(headers.get('x-asrs-event')).toBe('Gr%C3%BC%C3%9Fe%0D%0Ax: 1');
    expect(headers.get('x-asrs-client-query')).toBe('?hub=chat&a=%C3%BC%0A');
    expect(head?.query).toBe('hub=chat&a=%C3%BC%0A');
  });

  test('are read as other services write them; without a needed one there is no webhook', () => {
    const headers: Record<string, string> = {
      'x-asrs-connection-id': 'c',
      'x-asrs-hub': 'Chat',
      'x-asrs-category': 'connections',
      'x-asrs-event': 'connected',
      'x-asrs-user-claims': 'a: b,c,d: e, http://x/y: z',
    };
    expect(readWebhookHead((name) => headers[name])).toMatchObject({
      hub: 'chat',
      userId: undefined,
      claims: [
        ['a', 'b'],
        ['d', 'e'],
        ['http://x/y', 'z'],
      ],
      query: '',
      signature: undefined,
    });
    for (const name of Object.keys(headers).slice(0, 4)) {
      expect(readWebhookHead((asked) => (asked === name ? undefined : headers[asked]))).toBeUndefined();
    }
  });
});

describe('the bodies', () => {
  test('of a connection that came and went', () => {
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
    expect([text(connectedBody()), text(disconnectedBody()), text(disconnectedBody('idle'))]).toEqual([
      '{"type":10}',
      '{"type":11}',
      '{"type":11,"error":"idle"}',
    ]);
  });

  test.each([
    ['{"type":11}', undefined],
    ['{"Type":11,"Error":null}', undefined],
    ['{"Type":11,"Error":""}', ''],
    ['{"type":11,"error":"text"}', 'text'],
  ])('%s has the error %j', (text, error) => {
    expect(readDisconnectedBody(Buffer.from(text))).toBe(error);
  });

  test.each(['', 'x', 'null', '[]', '{}', '{"type":10}', '{"type":11,"error":7}'])('%j is no disconnected', (text) => {
    expect(() => readDisconnectedBody(Buffer.from(text))).toThrow(MalformedError);
  });

  test.each([
    ['application/json', 'json'],
    ['Application/JSON; charset=utf-8', 'json'],
    ['application/x-msgpack', 'messagepack'],
    ['text/plain', undefined],
    [undefined, undefined],
  ])('of content type %j are %s', (type, name) => {
    expect(webhookProtocol(type)?.name).toBe(name);
  });

  test.each(['json', 'messagepack'] as const)('of a message are one invocation without frame: %s', (name) => {
    const protocol = hubProtocol(name)!;
    const record = (message: Parameters<typeof protocol.write>[0]): Uint8Array => {
      const [first] = protocol.split({ limit: 1000 }).push(protocol.write(message));
      return first!;
    };
    const message = {
      kind: 'invocation',
      invocationId: '1',
      target: 'x',
      arguments: [1, [null, 'a'], { b: {} }],
    } as const;
    expect(readWebhookInvocation(protocol, record(message))).toMatchObject(message);
    const wrong = [
      record({ kind: 'ping' }),
      record({ kind: 'completion', invocationId: '1' }),
      Buffer.from('x'),
      protocol.write(message),
    ];
    for (const bytes of wrong) expect(() => readWebhookInvocation(protocol, bytes)).toThrow(MalformedError);
  });
});
