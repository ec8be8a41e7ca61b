import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type HubConnection, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, startGateway } from '../../support/start-gateway.ts';
import { createPollApp, type PollApp } from '../src/app.ts';

let server: Server;
let url: string;
let gateway: RunningGateway;
let app: PollApp;

beforeAll(async () => {
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  gateway = await startGateway(randomBytes(32).toString('base64url'), { SIGNALBOX_UPSTREAM: `${url}/upstream` });
  app = createPollApp(gateway.connectionString);
  server.on('request', app.listener);
});

afterAll(async () => {
  await gateway.stop();
  await app.close();
  server.closeAllConnections();
  server.close();
});

/** A connected page, and what it was told. */
async function connect(): Promise<{ connection: HubConnection; told: string[] }> {
  const connection = new HubConnectionBuilder().withUrl(`${url}/poll`).configureLogging(LogLevel.None).build();
  const told: string[] = [];
  connection.on('voted', (option: string, votes: number) => told.push(`${option} ${votes}`));
  await connection.start();
  return { connection, told };
}

test('a vote is answered to its caller and told to the others', async () => {
  const [one, other] = await Promise.all([connect(), connect()]);
  expect(await one.connection.invoke('votes')).toEqual({ tabs: 0, spaces: 0 });
  expect(await one.connection.invoke('vote', 'tabs')).toBe(1);
  expect(await other.connection.invoke('vote', 'tabs')).toBe(2);
  await expect.poll(() => [one.told, other.told]).toEqual([['tabs 2'], ['tabs 1']]);
  await expect(one.connection.invoke('vote', 'semicolons')).rejects.toThrow('There is no option "semicolons"');
  await Promise.all([one, other].map(({ connection }) => connection.stop()));
});

test('the page and the official client are served; a webhook that nobody signed is refused', async () => {
  const pages = ['/', '/signalr.js', '/src/app.ts'].map(async (path) => (await fetch(url + path)).status);
  expect(await Promise.all(pages)).toEqual([200, 200, 404]);
  const headers = {
    'x-asrs-connection-id': 'c',
    'x-asrs-hub': 'poll',
    'x-asrs-category': 'messages',
    'x-asrs-event': 'vote',
  };
  const forged = await fetch(`${url}/upstream`, { method: 'POST', headers, body: '{}' });
  expect(forged.status).toBe(401);
});
