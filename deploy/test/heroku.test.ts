import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { SignalboxClient } from '@signalbox/app-sdk';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../examples/support/free-port.ts';
import { startProcess } from '../../examples/support/start-process.ts';
import { startRedis } from '../../examples/support/start-redis.ts';
import { type Stop, stopAll } from '../../examples/support/stops.ts';
import { read, root } from './support/files.ts';

interface Variable {
  readonly value?: string;
  readonly generator?: string;
}

const app = JSON.parse(read('app.json')) as {
  readonly env: Readonly<Record<string, Variable>>;
  readonly formation: { readonly web: { readonly quantity: number } };
  readonly addons: readonly { readonly plan: string }[];
};
/** What Heroku's dynos get from `app.json`. */
const variables = Object.fromEntries(
  Object.entries(app.env).map(([name, { value, generator }]) => [
    name,
    generator === 'secret' ? 'f'.repeat(64) : value,
  ]),
) as Record<string, string>;
const web = /^web: node (\S+)$/m.exec(read('Procfile'))?.[1] ?? '';

const stops: Stop[] = [];
const folder = mkdtempSync(join(tmpdir(), 'signalbox-heroku-'));
let redisUrl: string;

/** As Heroku's: TLS with a certificate that it signed itself. */
beforeAll(async () => {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...request, '-subj', '/CN=redis.example'], { stdio: 'ignore' });
  const redis = await startRedis({ tls: { key, cert } });
  stops.push(() => redis.stop());
  redisUrl = redis.url;
});
afterAll(async () => {
  await stopAll(stops);
  rmSync(folder, { recursive: true });
});

/** A dyno: what the Procfile starts, with what Heroku gives it and nothing else. */
async function startDyno(env: Record<string, string> = {}): Promise<string> {
  const port = String(await freePort());
  const given = { ...variables, PORT: port, REDIS_URL: redisUrl, SIGNALBOX_ADMIN_PORT: '0', ...env };
  const dyno = await startProcess(process.execPath, [web], { cwd: root, env: given, ready: /"msg":"listening"/ });
  stops.push(() => dyno.stop());
  return `http://127.0.0.1:${port}`;
}

// At the same time: one of them waits ten seconds for a Redis that it does not trust.
describe.concurrent('with the settings of app.json and a Redis as Heroku gives it', () => {
  test('two dynos are one service', async () => {
    expect(app.formation.web.quantity).toBe(2);
    const key = variables['SIGNALBOX_ACCESS_KEY'];
    const [one, other] = await Promise.all([startDyno(), startDyno()]);
    const [near, far] = [one, other].map((endpoint) => `Endpoint=${endpoint};AccessKey=${key};Version=1.0;`);
    await using here = new SignalboxClient(near, { hub: 'heroku' });
    await using there = new SignalboxClient(far, { hub: 'heroku' });
    const { url, accessToken } = await here.negotiate({ userId: 'ann' });
    const client = new HubConnectionBuilder()
      .withUrl(url, { accessTokenFactory: () => accessToken })
      .configureLogging(LogLevel.None)
      .build();
    const heard = new Promise((resolve) => client.on('news', resolve));
    await client.start();
    await there.send('ann', 'news', 'by the other dyno');
    expect(await heard).toBe('by the other dyno');
    await client.stop();
  });

  test('without SIGNALBOX_REDIS_INSECURE_TLS no dyno would start', async () => {
    await expect(startDyno({ SIGNALBOX_REDIS_INSECURE_TLS: 'false' })).rejects.toThrow('ended with code 2');
  });
});

test('a dyno has stopped before Heroku kills it, 30 s after SIGTERM', () => {
  expect(Number(variables['SIGNALBOX_DRAIN_MS'])).toBeLessThan(30_000);
});

test('Heroku takes a Node for which the native part has a binary', () => {
  const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
  expect(engines.node).toBe('^20.19 || ^22');
});

test('app.json asks for a Redis and keeps to what Heroku reads', () => {
  expect(app.addons.map(({ plan }) => plan.split(':')[0])).toEqual(['heroku-redis']);
  const read = ['name', 'description', 'keywords', 'stack', 'buildpacks', 'formation', 'addons', 'env'];
  expect(Object.keys(app).filter((name) => !read.includes(name))).toEqual([]);
  for (const [name, variable] of Object.entries(app.env)) {
    expect('value' in variable || variable.generator === 'secret', name).toBe(true);
  }
});
