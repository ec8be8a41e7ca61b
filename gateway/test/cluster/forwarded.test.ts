import { AppServer, defineHub } from '@signalbox/app-sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { GatewayProcess } from '../support/gateway-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { RawRest } from '../support/raw-rest.ts';
import { connectionString } from '../support/service.ts';
import { accessKey, clientToken } from '../support/tokens.ts';
import { within } from '../support/until.ts';

interface Caller {
  server: { from(): string };
  client: Record<never, never>;
}

const caller = defineHub<Caller>({
  name: 'caller',
  methods: { from: ({ context }) => context.headers.get('x-forwarded-for') ?? '' },
});

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const proxy = '127.0.0.1';
const stranger = '127.0.0.2';
let gateway: GatewayProcess;
let server: AppServer;

beforeAll(async () => {
  gateway = await GatewayProcess.start({
    SIGNALBOX_ACCESS_KEY: accessKey,
    SIGNALBOX_TRUSTED_PROXIES: `${proxy}, 10.0.0.0/8`,
    SIGNALBOX_MODES: 'caller=default',
  });
  server = new AppServer(connectionString(gateway.origin), { hubs: [caller], links: 1, logger: silent });
  await server.start();
});
afterAll(async () => {
  await server.stop({ graceMs: 100 });
  await gateway.kill();
});

/** What an app server is told of a client that comes from this address with this header. */
async function toldOf(localAddress: string, said: string): Promise<string> {
  const token = await clientToken('caller');
  const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/client/?hub=caller&access_token=${token}`, {
    headers: { 'X-Forwarded-For': said, 'X-Forwarded-Host': 'evil.example' },
    localAddress,
  });
  const answer = new Promise<string>((resolve, reject) => {
    socket.once('error', reject);
    socket.on('open', () => socket.send('{"protocol":"json","version":1}\x1e'));
    socket.on('message', (data: Buffer) => {
      for (const record of data.toString().split('\x1e')) {
        if (record === '{}') socket.send('{"type":1,"target":"from","arguments":[],"invocationId":"1"}\x1e');
        else if (record.includes('"type":3')) resolve((JSON.parse(record) as { result: string }).result);
      }
    });
  });
  const result = await within('the app server answers', answer);
  socket.terminate();
  return result;
}

test('an app is told the address that a trusted proxy saw, and that of anybody else as the socket has it', async () => {
  expect(await toldOf(proxy, '6.6.6.6, 203.0.113.9, 10.1.1.1')).toBe('203.0.113.9');
  expect(await toldOf(stranger, '6.6.6.6, 203.0.113.9')).toBe(stranger);
});

test('a link to the next page is for the host that a trusted proxy names', async () => {
  const options = { hub: 'listed', user: 'ann' };
  const clients = await Promise.all([1, 2].map(() => RawClient.connect(gateway.port, options)));
  await using rest = new RawRest(gateway.origin);
  const path = '/api/signalbox/hubs/listed/users/ann/connections?maxpagesize=1';
  const said = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'chat.example:8443' };
  const answer = await rest.call('GET', path, { headers: said });
  const { nextLink } = JSON.parse(answer.body) as { nextLink: string };
  expect(new URL(nextLink).origin).toBe('https://chat.example:8443');
  for (const client of clients) client.leave();
});

test('a proxy that is none ends the start with one line', async () => {
  const ended = await GatewayProcess.run({ SIGNALBOX_TRUSTED_PROXIES: 'nginx' });
  expect([ended.code, ended.stderr]).toEqual([
    2,
    'signalbox-gateway: SIGNALBOX_TRUSTED_PROXIES must be a comma-separated list of IP addresses and ranges such as 10.0.0.0/8 or fd00::/8, got "nginx"\n',
  ]);
});
