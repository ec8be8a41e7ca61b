import { expect, test } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { startRedis } from '../support/redis.ts';
import { accessKey } from '../support/tokens.ts';
import { until } from '../support/until.ts';

type Line = Readonly<Record<string, unknown>>;
const saying = (node: GatewayProcess, msg: string): Line | undefined => node.lines.find((line) => line['msg'] === msg);
const says = (node: GatewayProcess, msg: string): Promise<void> =>
  until(`the log says "${msg}"`, () => saying(node, msg) !== undefined, 20_000);

test('nodes that come, leave and die, and a Redis that goes and comes back, are a line each', async () => {
  await using redis = await startRedis();
  const env = { REDIS_URL: redis.url(), SIGNALBOX_ACCESS_KEY: accessKey };
  await using node = await GatewayProcess.start(env);
  const leaving = await GatewayProcess.start(env);
  await says(node, 'a node came');
  expect(saying(node, 'a node came')).toMatchObject({ level: 'info', part: 'nodes', other: leaving.node });
  leaving.signal('SIGTERM');
  await leaving.ended;
  await says(node, 'a node left');
  expect(saying(node, 'a node left')).toMatchObject({ level: 'info', other: leaving.node });
  redis.pause();
  await says(node, 'Redis is down: messages reach only the clients of this node');
  redis.resume();
  await says(node, 'Redis is back: all topics are watched');
});

test('at level debug a client is a line when it is connected and one when it ends, with its reason', async () => {
  await using node = await GatewayProcess.start({ SIGNALBOX_ACCESS_KEY: accessKey, SIGNALBOX_LOG_LEVEL: 'debug' });
  const client = await RawClient.connect(node.port, { hub: 'chat', user: 'alice' });
  client.socket.close();
  await says(node, 'client ended');
  const facts = {
    level: 'debug',
    part: 'clients',
    hub: 'chat',
    user: 'alice',
    transport: 'WebSockets',
    protocol: 'json',
  };
  const { connection } = saying(node, 'client opened') ?? {};
  expect(connection).toMatch(/^[\w-]{34}$/);
  expect(saying(node, 'client opened')).toMatchObject(facts);
  expect(saying(node, 'client ended')).toMatchObject({ ...facts, connection, reason: 'client_left' });
});
