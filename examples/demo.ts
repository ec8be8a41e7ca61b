/**
 * `npm run demo`, `demo:cluster`, `demo:notify`, `demo:serverless`: gateways and an app in one terminal, until Ctrl-C.
 * The gateways take free ports and a random access key; the page is on PORT (3000).
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startCluster } from './chat/src/cluster.ts';
import { startChatApp } from './chat/src/server.ts';
import { createNotifyApp } from './notify/src/app.ts';
import { createPollApp } from './serverless/src/app.ts';
import { freePort } from './support/free-port.ts';
import { keepRunning } from './support/keep-running.ts';
import { startGateway } from './support/start-gateway.ts';
import { startRedis } from './support/start-redis.ts';
import { type Stop, stopAll } from './support/stops.ts';

/** Resolves with the address of the page. */
type Demo = (port: number) => Promise<string>;

const stops: Stop[] = [];
const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function oneGateway(settings: Record<string, string> = {}): Promise<string> {
  say('1/3 starting a gateway ...');
  const gateway = await startGateway(randomBytes(32).toString('base64url'), settings);
  stops.push(async () => {
    say('stopping the gateway ...');
    process.exitCode = (await gateway.stop()) ?? 1;
  });
  say(`    it listens on ${gateway.endpoint}; its metrics: ${gateway.adminEndpoint}/metrics`);
  return gateway.connectionString;
}

const chat: Demo = async (port) => {
  const connectionString = await oneGateway();
  say('2/3 starting the app server of examples/chat ...');
  const app = await startChatApp(connectionString, port);
  stops.push(() => {
    say('\nstopping the app server ...');
    return app.stop({ clients: 'drop' }); // no other app server is there to take them
  });
  say('3/3 ready. Ctrl-C stops both.');
  return app.url;
};

const notify: Demo = async (port) => {
  const connectionString = await oneGateway();
  say('2/3 starting the app of examples/notify ...');
  const app = createNotifyApp(connectionString).listen(port, '127.0.0.1');
  await once(app, 'listening');
  stops.push(async () => {
    say('\nstopping the app ...');
    app.close();
    app.closeAllConnections();
  });
  say('3/3 ready. Ctrl-C stops both.');
  return `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
};

const serverless: Demo = async (port) => {
  const web = createServer().listen(port, '127.0.0.1');
  await once(web, 'listening');
  const url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  stops.push(async () => {
    web.close();
    web.closeAllConnections();
  });
  const connectionString = await oneGateway({ SIGNALBOX_UPSTREAM: `${url}/upstream` });
  say('2/3 starting the app of examples/serverless ...');
  const app = createPollApp(connectionString);
  web.on('request', app.listener);
  stops.push(() => {
    say('\nstopping the app ...');
    return app.close();
  });
  say('3/3 ready. Ctrl-C stops both.');
  return url;
};

const cluster: Demo = async (port) => {
  say('1/3 starting Redis ...');
  const redisUrl = process.env['REDIS_URL'] ?? (await ownRedis());
  say('2/3 starting what deploy/compose.yaml starts ...');
  const adminToken = randomBytes(24).toString('base64url');
  const { url } = await startCluster({ redisUrl, port, stops, adminToken, say: tell });
  stops.push(async () => say('\nstopping everything, Redis last ...'));
  tell(`token of the operators' page: ${adminToken}`);
  say('3/3 ready. End any of these processes and watch the page: it is started again. Ctrl-C stops all.');
  return url;
};

const tell = (text: string): void => {
  if (!stopping) say(`    ${text}`);
};

async function ownRedis(): Promise<string> {
  const port = await freePort();
  const redis = await keepRunning('redis', () => startRedis({ port }), tell);
  stops.push(redis.stop);
  tell(`redis: process ${redis.process.pid}, ${redis.process.url}`);
  return redis.process.url;
}

const demos = new Map(Object.entries({ chat, cluster, notify, serverless }));
const [name = 'chat'] = process.argv.slice(2);
const demo = demos.get(name) ?? fail(`the demo must be one of ${[...demos.keys()].join(', ')}, got "${name}"`);
const port = Number(process.env['PORT'] ?? 3000);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  fail(`PORT must be an integer from 0 to 65535, got ${JSON.stringify(process.env['PORT'])}`);
}

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());

// npm passes SIGINT on, but a SIGTERM ends npm and its shell alone: nobody is left then who would stop this.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) void stop();
}, 500).unref();

try {
  const url = await demo(port);
  if (!stopping) say(`    Open:\n\n    ${url}/\n`);
} catch (error) {
  if (!stopping) await giveUp(error as NodeJS.ErrnoException);
}

async function stop(): Promise<void> {
  if (stopping) return; // a terminal and npm both pass Ctrl-C on
  stopping = true;
  await stopAll(stops);
  say('stopped.');
  process.exit();
}

async function giveUp({ code, message }: NodeJS.ErrnoException): Promise<never> {
  stopping = true;
  await stopAll(stops);
  if (code !== 'EADDRINUSE') fail(message);
  const script = name === 'chat' ? 'demo' : `demo:${name}`;
  fail(`port ${port} is taken: set PORT to a free one, for instance PORT=${port + 1} npm run ${script}`);
}

function fail(line: string): never {
  process.stderr.write(`demo: ${line}\n`);
  process.exit(1);
}
