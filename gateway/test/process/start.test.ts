import { SignalboxClient } from '@signalbox/app-sdk';
import { describe, expect, test } from 'vitest';
import { GatewayProcess } from '../support/gateway-process.ts';
import { OfficialClient } from '../support/official-client.ts';
import { RawRest } from '../support/raw-rest.ts';
import { freePort } from '../support/redis.ts';
import { connectionString } from '../support/service.ts';
import { accessKey } from '../support/tokens.ts';

describe('started without anything', () => {
  test('it prints a connection string, and that is all an app needs', async () => {
    await using gateway = await GatewayProcess.start();
    const printed = await gateway.printed();
    expect(printed).toContain(`Endpoint=${gateway.origin};`);
    await using app = new SignalboxClient(printed, { hub: 'first' });
    const client = await OfficialClient.connect(await app.negotiate({ userId: 'ann' }));
    await app.send('ann', 'news', 'hello');
    await client.heard('hello');
    await client.stop();
  });

  test('the key is in no line of the log, and is another one at the next start', async () => {
    const keys: string[] = [];
    for (let i = 0; i < 2; i++) {
      await using gateway = await GatewayProcess.start();
      const key = /AccessKey=(\S+?);/.exec(await gateway.printed())?.[1] ?? '';
      expect(key.length).toBeGreaterThanOrEqual(32);
      expect(JSON.stringify(gateway.lines)).not.toContain(key);
      keys.push(key);
    }
    expect(keys[0]).not.toBe(keys[1]);
  });

  test('with a key set, none is printed', async () => {
    await using gateway = await GatewayProcess.start({ SIGNALBOX_ACCESS_KEY: accessKey });
    expect(gateway.stderr).toBe('');
    expect(gateway.output).not.toContain(accessKey);
  });
});

describe.concurrent('what is wrong ends the start with code 2 and one line that names it', () => {
  test.each([
    [{ PORT: 'eighty' }, 'PORT must be an integer from 0 to 65535 (0: any free port), got "eighty"'],
    [
      { SIGNALBOX_READY_GRACE: '1s' },
      'SIGNALBOX_READY_GRACE must be an integer from 0 to 3600000 ms, or never, got "1s"',
    ],
    [
      { SIGNALBOX_ACCESS_KEY: 'short' },
      'SIGNALBOX_ACCESS_KEY must be one or more keys of at least 32 characters, separated by commas, got a value of 5 characters',
    ],
    [{ SIGNALBOX_PREFIX: 'a:b' }, 'SIGNALBOX_PREFIX must be 1 to 32 characters matching ^[A-Za-z0-9_-]+$, got "a:b"'],
    [{ SIGNALBOX_PROTOCOL: 'x' }, 'SIGNALBOX_PROTOCOL is no setting of the gateway; --help lists them'],
    [{ SIGNALBOX_HOST: '0.0.0.0' }, 'SIGNALBOX_ACCESS_KEY must be set to listen beyond loopback, on 0.0.0.0'],
    [
      { REDIS_URL: 'redis://127.0.0.1:1' },
      'SIGNALBOX_ACCESS_KEY must be set together with REDIS_URL: all nodes verify with the same key',
    ],
    [{ REDIS_URL: 'http://x', SIGNALBOX_ACCESS_KEY: accessKey }, '"REDIS_URL" must be redis'],
  ])('%j', async (env, line) => {
    const ended = await GatewayProcess.run(env);
    expect(ended.code).toBe(2);
    expect(ended.stderr.startsWith(`signalbox-gateway: ${line}`), ended.stderr).toBe(true);
    expect(ended.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(ended.stdout).toBe('');
  });

  test.each(['PORT', 'SIGNALBOX_ADMIN_PORT'])('%s that is taken', async (name) => {
    await using first = await GatewayProcess.start({ SIGNALBOX_ACCESS_KEY: accessKey });
    const taken = String(name === 'PORT' ? first.port : first.adminPort);
    const ended = await GatewayProcess.run({ SIGNALBOX_ACCESS_KEY: accessKey, [name]: taken });
    expect([ended.code, ended.stderr.trimEnd().split('\n').length]).toEqual([2, 1]);
    expect(ended.stderr).toContain(`port ${taken}`);
  });

  test('a Redis that nobody can reach, after 10 s', async () => {
    const url = `redis://user:secret-password@127.0.0.1:${await freePort()}`;
    const ended = await GatewayProcess.run({ SIGNALBOX_ACCESS_KEY: accessKey, REDIS_URL: url });
    expect([ended.code, ended.stderr.trimEnd().split('\n').length]).toEqual([2, 1]);
    expect(ended.stderr).toContain('Redis');
    expect(ended.stderr + ended.stdout).not.toContain('secret-password');
  });

  test('an unknown flag', async () => {
    const ended = await GatewayProcess.run({}, ['--prot']);
    expect(ended).toMatchObject({
      code: 2,
      stderr: 'signalbox-gateway: "--prot" is no flag of the gateway; --help lists flags and settings\n',
    });
  });
});

test.each(['--help', '--version', '--print-config'])(
  '%s prints and ends with code 0; no secret is shown',
  async (flag) => {
    const ended = await GatewayProcess.run({ SIGNALBOX_ACCESS_KEY: accessKey }, [flag]);
    expect([ended.code, ended.stderr]).toEqual([0, '']);
    expect(ended.stdout.length).toBeGreaterThan(4);
    expect(ended.stdout).not.toContain(accessKey);
  },
);

test('SIGNALBOX_APP_PORT moves /api/ off the public port: 404 there, 202 on its own', async () => {
  await using gateway = await GatewayProcess.start({ SIGNALBOX_ACCESS_KEY: accessKey, SIGNALBOX_APP_PORT: '0' });
  expect(gateway.appPort).not.toBe(gateway.port);
  await using inside = new RawRest(`http://127.0.0.1:${gateway.appPort}`);
  await using outside = new RawRest(gateway.origin);
  const clients = connectionString(gateway.origin);
  await using app = new SignalboxClient(clients, { hub: 'inner' });
  const client = await OfficialClient.connect(await app.negotiate());
  expect((await outside.post('/api/v1/hubs/inner', 'news', 'from outside')).status).toBe(404);
  expect((await outside.call('GET', '/api/health')).status).toBe(404);
  expect((await inside.post('/api/v1/hubs/inner', 'news', 'from inside')).status).toBe(202);
  await client.heard('from inside');
  expect(client.inbox.items).toEqual(['from inside']);
  expect((await inside.call('POST', '/client/negotiate?hub=inner')).status).toBe(404);
  await client.stop();
});

test('two keys are one rotation: the first signs, both are taken; a third is not', async () => {
  const [old, young, third] = ['old', 'young', 'third'].map((name) => name.padEnd(32, '-'));
  await using gateway = await GatewayProcess.start({ SIGNALBOX_ACCESS_KEY: `${young},${old}` });
  for (const key of [old, young]) {
    await using app = new SignalboxClient(connectionString(gateway.origin, key), { hub: 'rotation' });
    const client = await OfficialClient.connect(await app.negotiate());
    await app.send({ all: true }, 'news', key);
    await client.heard(key);
    await client.stop();
  }
  const nothing = (): void => undefined;
  const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  const options = { hub: 'rotation', retries: 0, logger };
  await using stranger = new SignalboxClient(connectionString(gateway.origin, third), options);
  await expect(stranger.send({ all: true }, 'news', 'never')).rejects.toMatchObject({ code: 'ERR_UNAUTHORIZED' });
});
