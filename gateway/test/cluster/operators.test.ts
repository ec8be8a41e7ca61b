import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adminToken, Operator, type OperatorAnswer } from '../support/operator.ts';
import { type Service, startService } from '../support/service.ts';
import { until } from '../support/until.ts';

let service: Service;
let first: Operator;
let second: Operator;

beforeAll(async () => {
  service = await startService({
    env: { SIGNALBOX_ADMIN_TOKEN: adminToken, SIGNALBOX_ADMIN_FOLLOWERS: '2', SIGNALBOX_ADMIN_HOSTS: 'ops.example' },
  });
  first = new Operator(service.node(0));
  second = new Operator(service.node(1));
});
afterAll(async () => {
  for (const operator of [first, second]) operator.leave();
  await service[Symbol.asyncDispose]();
});

interface PictureOfHub {
  readonly hub: string;
}

test('either node shows both, with hubs, rates and the way to Redis', async () => {
  const client = await service.client('pictured', { at: 1, userId: 'alice' });
  for (const operator of [first, second]) {
    let body: OperatorAnswer['body'];
    await until('both nodes are in the picture, and their probes came back', async () => {
      body = (await operator.get('/operators/picture')).body;
      const probes = body.nodes.filter(({ redis }: { redis: { probeMs?: number } }) => redis.probeMs !== undefined);
      return probes.length === 2;
    });
    expect(body).toMatchObject({ whole: true, payloads: false, missing: [] });
    const there = body.nodes.find(({ node }: { node: string }) => node === service.node(1).node);
    expect(there).toMatchObject({ draining: false, redis: { used: true, up: true }, moreHubs: 0, links: [] });
    expect(there.redis.probeMs).toBeGreaterThan(0);
    expect(there.hubs.find(({ hub }: PictureOfHub) => hub === 'pictured')).toMatchObject({
      mode: 'serverless',
      connections: 1,
      users: 1,
      transports: { WebSockets: 1 },
      protocols: { json: 1, messagepack: 0, other: 0 },
    });
  }
  await client.stop();
});

test('a user is found by the node that does not hold her, and by the one that does', async () => {
  const client = await service.client('wanted', { at: 1, userId: 'alice' });
  await service.app('wanted').groups.addToGroup(client.id, 'readers');
  for (const operator of [first, second]) {
    for (const query of [
      'hub=wanted&user=alice',
      `connection=${client.id}`,
      'hub=Wanted&group=readers',
      'hub=wanted',
    ]) {
      const { status, body } = await operator.get(`/operators/lookup?${query}`);
      expect([status, body.connections.length, body.more, body.whole], query).toEqual([200, 1, false, true]);
      expect(body.connections[0]).toMatchObject({
        node: service.node(1).node,
        connection: client.id,
        user: 'alice',
        transport: 'WebSockets',
        protocol: 'json',
        state: 'open',
        groups: ['readers'],
      });
    }
  }
  expect((await first.get('/operators/lookup?hub=wanted&user=bob')).body.connections).toEqual([]);
  await client.stop();
});

test('who follows a user of the other node sees her come, join, be sent to and leave', async () => {
  const lines = await first.follow('hub=followed&user=alice');
  await until('the other node heard of it', async () => {
    const probe = await service.client('followed', { at: 1, userId: 'alice' });
    await probe.stop();
    return lines.items.some(({ event }) => event === 'opened');
  });
  const from = lines.items.length;
  const client = await service.client('followed', { at: 1, userId: 'alice' });
  const { id } = client; // forgotten when it stops
  const app = service.app('followed');
  await app.groups.addToGroup(id, 'readers');
  await app.send({ group: 'readers' }, 'news', 'nobody else reads this');
  await client.heard('nobody else reads this');
  await client.stop();
  const own = () => lines.items.slice(from).filter(({ connection, event }) => connection === id || event === 'sent');
  await lines.until('her end', () => own().some(({ event }) => event === 'closed'));
  const story = own().filter(({ messages }) => !String(messages).match(/ping|close/));
  expect(story.map(({ event }) => event)).toEqual(['opened', 'joined', 'sent', 'written', 'closed']);
  expect(story.at(-1)).toMatchObject({ reason: 'client_left', node: service.node(1).node, user: 'alice' });
  expect(JSON.stringify(lines.items)).not.toContain('nobody else reads this');
  first.leave();
});

test('a test message arrives, a close closes, and both say when nobody was there', async () => {
  const client = await service.client('acted', { at: 1, userId: 'alice' });
  const message = { hub: 'acted', user: 'alice', target: 'news', arguments: ['from the operators'] };
  expect((await first.call('POST', '/operators/send', message)).body).toEqual({ reach: 'all', exists: true });
  await client.heard('from the operators');
  const { body } = await first.call('POST', '/operators/send', { ...message, user: 'bob' });
  expect(body).toEqual({ reach: 'all', exists: false });
  const close = { hub: 'acted', connection: client.id };
  const closed = await first.call('POST', '/operators/close', close);
  expect(closed).toMatchObject({ status: 200, body: { closed: close.connection } });
  await client.closed;
  const again = await first.call('POST', '/operators/close', close);
  expect(again).toMatchObject({ status: 404, body: { error: 'connection_unknown' } });
  for (const node of service.nodes) expect(node.output).not.toContain('from the operators');
});

describe('what is wrong is refused with a code', () => {
  const send = { hub: 'h', user: 'u', target: 't', arguments: [] };
  test.each([
    ['GET', '/operators/lookup?user=a&group=b', undefined, 400, 'request_invalid'],
    ['GET', `/operators/lookup?hub=${'x'.repeat(258)}`, undefined, 400, 'name_invalid'],
    ['GET', '/operators/follow?hub=h&payloads=true', undefined, 403, 'payloads_off'],
    ['POST', '/operators/send', { ...send, hub: '' }, 400, 'name_invalid'],
    ['POST', '/operators/send', { ...send, hub: 1 }, 400, 'request_invalid'],
    ['POST', '/operators/send', { ...send, target: undefined }, 400, 'request_invalid'],
    ['POST', '/operators/send', '{', 400, 'request_invalid'],
    ['POST', '/operators/send', '[]', 400, 'request_invalid'],
    ['POST', '/operators/close', { hub: 'h', user: 'u' }, 400, 'request_invalid'],
    ['POST', '/operators/send', { ...send, arguments: ['x'.repeat(2_000_000)] }, 413, 'too_large'],
    ['GET', '/operators/send', undefined, 405, 'method_not_allowed'],
    ['POST', '/operators/picture', {}, 405, 'method_not_allowed'],
    ['OPTIONS', '/operators/send', undefined, 405, 'method_not_allowed'],
    ['GET', '/operators/nothing', undefined, 404, 'route_unknown'],
    ['GET', '/page/../package.json', undefined, 404, 'route_unknown'],
  ])('%s %s', async (method, path, body, status, error) => {
    const answer = await first.call(method, path, body);
    expect([answer.status, answer.body.error]).toEqual([status, error]);
  });

  test('a body that a form could send', async () => {
    const answer = await first.call('POST', '/operators/send', send, { 'content-type': 'text/plain' });
    expect([answer.status, answer.body.error]).toEqual([415, 'media_type']);
  });

  test('a HEAD of a stream, which would have no end and no body', async () => {
    expect((await first.call('HEAD', '/operators/follow?hub=h')).status).toBe(405);
  });

  test('one follower more than SIGNALBOX_ADMIN_FOLLOWERS', async () => {
    const own = new Operator(service.node(1));
    await own.follow('hub=many');
    await own.follow('hub=many');
    await expect(own.follow('hub=many')).rejects.toThrow('SIGNALBOX_ADMIN_FOLLOWERS');
    own.leave();
    await until('there is room again', async () => {
      try {
        await own.follow('hub=many');
        return true;
      } catch {
        return false;
      }
    });
    own.leave();
  });
});

describe('who has no token', () => {
  const paths = [
    '/operators/picture',
    '/operators/lookup?hub=h',
    '/operators/follow?hub=h',
    '/operators/send',
    '/operators/close',
  ];
  test.each(['', 'x'.repeat(adminToken.length), `${adminToken}x`, adminToken.slice(1)])(
    'but %j sees nothing',
    async (token) => {
      const stranger = new Operator(service.node(0), token);
      for (const path of paths) {
        const answer = await stranger.get(path);
        expect([path, answer.status, answer.body.error]).toEqual([path, 401, 'unauthorized']);
        expect(JSON.stringify(answer.body)).not.toContain(adminToken);
      }
    },
  );

  test('is counted, and the token is in no log', async () => {
    expect(await service.node(0).metric('signalbox_tokens_refused_total', { reason: 'admin' })).toBeGreaterThan(0);
    for (const node of service.nodes) expect(node.output).not.toContain(adminToken);
  });

  test('may load the page, which holds nothing and may load nothing from elsewhere', async () => {
    const page = await new Operator(service.node(0), '').get('/');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.headers.get('content-security-policy')).not.toContain('unsafe');
    for (const header of ['access-control-allow-origin', 'set-cookie']) expect(page.headers.has(header)).toBe(false);
    expect(page.headers.get('cache-control')).toBe('no-store');
    for (const file of ['/page/uplot.js', '/page/uplot.css']) {
      expect((await new Operator(service.node(0), '').get(file)).status).toBe(200);
    }
  });
});
