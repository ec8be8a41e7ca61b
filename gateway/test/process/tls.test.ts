import { copyFileSync, renameSync } from 'node:fs';
import { connect } from 'node:tls';
import { HttpTransportType } from '@microsoft/signalr';
import { AppServer, defineHub, SignalboxClient } from '@signalbox/app-sdk';
import { Agent } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Certificates } from '../support/certificates.ts';
import { ClientProcess } from '../support/client-process.ts';
import { type Env, GatewayProcess } from '../support/gateway-process.ts';
import { startRedis } from '../support/redis.ts';
import { accessKey } from '../support/tokens.ts';
import { until, within } from '../support/until.ts';

const hub = 'safe';
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const { WebSockets, ServerSentEvents, LongPolling } = HttpTransportType;

let certificates: Certificates;
/** Trusts the authority. */
let dispatcher: Agent;
beforeAll(() => {
  certificates = new Certificates();
  for (const name of ['first', 'second']) certificates.make(name);
  dispatcher = new Agent({ connect: { ca: certificates.ca } });
});
afterAll(async () => {
  await dispatcher.destroy();
  certificates[Symbol.dispose]();
});
beforeEach(() => replace('first'));

/** Each file at once: nobody reads half of it. */
function replace(name: string, parts: readonly string[] = ['crt', 'key']): void {
  for (const part of parts) {
    copyFileSync(certificates.path(`${name}.${part}`), certificates.path(`next.${part}`));
    renameSync(certificates.path(`next.${part}`), certificates.path(`used.${part}`));
  }
}

const settings = (): Env => ({
  SIGNALBOX_TLS_CERT: certificates.path('used.crt'),
  SIGNALBOX_TLS_KEY: certificates.path('used.key'),
  SIGNALBOX_TLS_CHECK_MS: '100',
});

/** Common name of the certificate that a new socket sees. */
async function nameAt(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ca: certificates.ca });
  const name = new Promise<string>((resolve, reject) => {
    socket.once('secureConnect', () => resolve(String(socket.getPeerCertificate().subject.CN))).once('error', reject);
  });
  try {
    return await within('the handshake', name);
  } finally {
    socket.destroy();
  }
}

describe('a node with a certificate', () => {
  test('prints an https endpoint, and serves apps by REST and clients by every transport', async () => {
    await using gateway = await GatewayProcess.start(settings());
    const printed = await gateway.printed();
    expect(printed).toContain(`Endpoint=https://127.0.0.1:${gateway.port};`);
    await using app = new SignalboxClient(printed, { hub, dispatcher });
    for (const transport of [WebSockets, ServerSentEvents, LongPolling]) {
      const where = await app.negotiate({ userId: 'ann' });
      await using client = new ClientProcess({ ...where, transport }, certificates.caFile);
      await client.told('connected');
      await app.send('ann', 'news', `by ${HttpTransportType[transport]}`);
      await client.told('news', `by ${HttpTransportType[transport]}`);
    }
    await using stranger = new ClientProcess({ ...(await app.negotiate()), transport: WebSockets }, undefined);
    await stranger.told('failed');
    expect((await gateway.admin('/livez')).status).toBe(200);
  });

  test('takes links of app servers, on a port of their own too', async () => {
    const env = { SIGNALBOX_ACCESS_KEY: accessKey, SIGNALBOX_APP_PORT: '0', ...settings() };
    await using gateway = await GatewayProcess.start(env);
    const cs = (port: number): string => `Endpoint=https://127.0.0.1:${port};AccessKey=${accessKey};Version=1.0;`;
    const hubs = [defineHub({ name: hub, methods: {} })];
    const server = new AppServer(cs(gateway.appPort), { hubs, links: 1, logger: silent, dispatcher });
    await server.start();
    await using clients = new SignalboxClient(cs(gateway.port), { hub, dispatcher });
    const where = await clients.negotiate();
    await using client = new ClientProcess({ ...where, transport: WebSockets }, certificates.caFile);
    await client.told('connected');
    await server.stop({ graceMs: 100 });
  });

  test('uses a new one for new sockets, and keeps the clients that are there', async () => {
    await using gateway = await GatewayProcess.start(settings());
    await using app = new SignalboxClient(await gateway.printed(), { hub, dispatcher });
    await using client = new ClientProcess({ ...(await app.negotiate()), transport: WebSockets }, certificates.caFile);
    await client.told('connected');
    const expires = await gateway.metric('signalbox_tls_certificate_expires_seconds');
    expect(expires).toBeGreaterThan(Date.now() / 1000);

    replace('second', ['crt']);
    const told = (text: string) => (): boolean => gateway.lines.some(({ msg }) => msg === text);
    await until('half of it is refused', told('the TLS certificate cannot be used; the one before stays'));
    expect(await gateway.metric('signalbox_tls_certificates_total', { outcome: 'refused' })).toBe(1);
    expect(await nameAt(gateway.port)).toBe('first');
    replace('second');
    await until('all of it is used', told('a new TLS certificate is in use'));
    expect(await gateway.metric('signalbox_tls_certificates_total', { outcome: 'used' })).toBe(2);
    expect(await nameAt(gateway.port)).toBe('second');

    await app.send({ all: true }, 'news', 'to the old one');
    await client.told('news', 'to the old one');
    expect(client.notices.items.some(({ kind }) => kind === 'closed')).toBe(false);
    expect(gateway.output).not.toContain('PRIVATE KEY');
    gateway.signal('SIGTERM');
    expect((await within('it stops', gateway.ended, 20_000)).code).toBe(0);
  });
});

test('workers that share a port all use the new certificate', async () => {
  await using redis = await startRedis();
  const env = { REDIS_URL: redis.url(), SIGNALBOX_ACCESS_KEY: accessKey, SIGNALBOX_WORKERS: '2', ...settings() };
  await using parent = await GatewayProcess.start(env);
  expect(await nameAt(parent.port)).toBe('first');
  replace('second');
  const used = { outcome: 'used' };
  await until('both use it', async () => (await parent.metric('signalbox_tls_certificates_total', used)) === 4);
  const names = await Promise.all(Array.from({ length: 20 }, () => nameAt(parent.port)));
  expect(new Set(names)).toEqual(new Set(['second']));
});

test('a certificate without its key ends the start with one line', async () => {
  const { SIGNALBOX_TLS_CERT = '' } = settings();
  const ended = await GatewayProcess.run({ SIGNALBOX_TLS_CERT });
  expect([ended.code, ended.stdout, ended.stderr]).toEqual([
    2,
    '',
    'signalbox-gateway: SIGNALBOX_TLS_CERT and SIGNALBOX_TLS_KEY must both be set, or none of them\n',
  ]);
});
