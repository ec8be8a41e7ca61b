import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedisRecords } from '../../src/backplane/records-redis.ts';
import { createRedisBackplane, type RedisBackplane } from '../../src/backplane/redis.ts';
import { parseRedisUrl } from '../../src/backplane/redis-url.ts';
import { startCluster, type TestCluster } from '../support/redis-cluster.ts';
import { backplaneSuite } from './backplane.suite.ts';
import { busSuite } from './bus.suite.ts';
import { Listener, RecordsListener, RedisReport } from './listener.ts';
import { type RecordsNode, recordsSuite } from './records.suite.ts';

const prefix = 'test@0';
const topics = { hub: `{${prefix}:h:chat}`, control: `{${prefix}}` };
const topic = `${topics.hub}:p:tag`;
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster();
});

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

function make(node: string): RedisBackplane {
  return createRedisBackplane({ target: parseRedisUrl(cluster.url), prefix, node, events: new RedisReport() });
}

async function makeRecords(node: string): Promise<RecordsNode> {
  const backplane = make(node);
  const told = new RecordsListener();
  await backplane.start(told);
  await backplane.watch(topic);
  const records = createRedisRecords({ backplane, prefix, node });
  const close = async (): Promise<void> => {
    await records.close();
    await backplane.close();
  };
  return { records, told, close };
}

backplaneSuite('redis cluster', { ...topics, make });
busSuite('redis cluster', { ...topics, make });
recordsSuite('redis cluster', { topic, make: makeRecords });

describe('a Redis Cluster', () => {
  it('wants hash tags, and carries many hubs, each in its own slot', async () => {
    const [here, there] = [make('here'), make('there')];
    const heard = new Listener();
    await Promise.all([here.start(new Listener()), there.start(heard)]);
    expect(here.hashTags).toBe(true);
    const hubs = Array.from({ length: 20 }, (_, i) => `{${prefix}:h:hub${i}}:all`);
    await Promise.all(hubs.map((hub) => there.watch(hub)));
    expect(await Promise.all(hubs.map((hub) => here.publish(hub, Buffer.from(hub))))).toEqual(hubs.map(() => 1));
    await heard.received(20);
    expect(heard.texts.sort()).toEqual([...hubs].sort());
    await Promise.all([here.close(), there.close()]);
  });

  it('is probed in every slot in use: one shard that hangs makes the node deaf', async () => {
    const here = make('here');
    const heard = new Listener();
    await here.start(heard);
    const hubs = Array.from({ length: 20 }, (_, i) => `{${prefix}:h:hub${i}}:all`);
    await Promise.all(hubs.map((hub) => here.watch(hub)));
    for (let shard = 0; shard < 3; shard++) {
      const before = heard.health.length;
      cluster.pause(shard);
      await heard.until(() => heard.health.length === before + 1);
      cluster.resume(shard);
      await heard.until(() => heard.health.length === before + 2);
    }
    expect(heard.health).toEqual(['deaf', 'hearing', 'deaf', 'hearing', 'deaf', 'hearing']);
    expect(await Promise.all(hubs.map((hub) => here.publish(hub, Buffer.from('x'))))).toEqual(hubs.map(() => 1));
    await heard.received(20);
    await here.close();
  }, 60_000);
});
