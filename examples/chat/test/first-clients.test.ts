import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { expect, test } from 'vitest';
import { startGateway } from '../../support/start-gateway.ts';
import { startRedis } from '../../support/start-redis.ts';
import { startChatApp } from '../src/server.ts';

const starts = 12;

/** An upgrade that waited for Redis once cut off the first client of every third gateway. */
test(`the first client of ${starts} fresh gateways with Redis is let in at its first try`, async () => {
  const redis = await startRedis();
  const refused: string[] = [];
  for (let start = 0; start < starts; start++) {
    const gateway = await startGateway('k'.repeat(43), { REDIS_URL: redis.url });
    const app = await startChatApp(gateway.connectionString, 0);
    const hub = new HubConnectionBuilder().withUrl(`${app.url}/chat?user=ann`).configureLogging(LogLevel.None).build();
    await hub.start().catch((error: unknown) => refused.push(String(error)));
    await hub.stop();
    await app.stop({ clients: 'drop' });
    await gateway.stop();
  }
  await redis.stop();
  expect(refused).toEqual([]);
}, 240_000);
