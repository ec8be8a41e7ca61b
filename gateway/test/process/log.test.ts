import { expect, test } from 'vitest';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { negotiate, RawClient } from '../support/raw-client.ts';
import { RawRest } from '../support/raw-rest.ts';
import { startRedis } from '../support/redis.ts';
import { startService } from '../support/service.ts';
import { accessKey, clientToken, signToken } from '../support/tokens.ts';
import { until, within } from '../support/until.ts';

test('at level trace, a session with good and bad clients, Redis lost and found, logs no token, key, password or message', async () => {
  const secrets = { body: 'the-body-of-a-message', said: 'what-a-client-said', bad: 'no-json-but-a-secret' };
  await using redis = await startRedis('--requirepass', 'the-password-of-redis');
  await using service = await startService({
    redis,
    env: {
      SIGNALBOX_LOG_LEVEL: 'trace',
      SIGNALBOX_ROUTING_SECRET: 'the-routing-secret-of-this-test-0123456789',
      REDIS_URL: `redis://:the-password-of-redis@127.0.0.1:${redis.port}`,
    },
  });
  await using rest = new RawRest(service.balancer.origin);
  const node = service.node(0);
  const token = await clientToken('quiet', 'ann');
  const { connectionToken } = await negotiate(node.origin, 'quiet', 'ann');
  const client = await RawClient.connect(node.port, { hub: 'quiet', token, id: connectionToken });
  const path = '/api/v1/hubs/quiet';
  const appToken = await signToken(`http://x${path}`);
  await rest.call('POST', path, {
    token: appToken,
    body: JSON.stringify({ target: 'news', arguments: [secrets.body] }),
  });
  await client.heard(secrets.body);
  const elsewhere = await rest.call('POST', path, { token: await signToken('http://x/elsewhere'), body: secrets.bad });
  expect(elsewhere.status).toBe(401);
  expect((await rest.call('POST', path, { token: appToken, body: secrets.bad })).status).toBe(400);
  client.say({ type: 1, target: 'hubMethod', arguments: [secrets.said], invocationId: '1' });
  await client.inbox.one('the completion', (message) => message['invocationId'] === '1');
  client.socket.send(`${secrets.bad}\x1e`);
  await within('the close', client.closed);
  await redis.restart();
  const isBack = ({ lines }: GatewayProcess): boolean =>
    lines.some(({ msg }) => msg === 'Redis is back: all topics are watched');
  await until('every node lost Redis and found it', () => service.nodes.every(isBack));
  for (const one of service.nodes) one.signal('SIGTERM');
  const ends = await Promise.all(service.nodes.map((one) => within('the exit', one.ended)));

  const output = ends.map(({ stdout, stderr }) => stdout + stderr).join('');
  expect(output).toContain('Redis connection lost');
  const lines = ends.flatMap(({ stdout }) => stdout.trimEnd().split('\n'));
  for (const line of lines) expect(() => JSON.parse(line), line).not.toThrow();
  // What uWebSockets.js says by itself (docs/operations.md), and nothing else.
  const said = ends.flatMap(({ stderr }) => stderr.split('\n')).filter((line) => line !== '');
  expect(said.filter((line) => !line.startsWith('Warning: uWS.HttpResponse writes must be made'))).toEqual([]);
  const hidden = [
    token,
    appToken,
    connectionToken,
    accessKey,
    'the-routing-secret',
    'the-password',
    ...Object.values(secrets),
  ];
  expect(hidden.filter((secret) => output.includes(secret))).toEqual([]);
  // Any other token: `eyJ` alone may stand in an id.
  expect(output).not.toMatch(/eyJ[\w-]+\./);
});
