/**
 * `npm run demo`: a gateway and the app of `notify/` in one terminal, until Ctrl-C.
 * The gateway takes free ports and a random access key; the app listens on PORT (3000).
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createNotifyApp } from './notify/src/app.ts';
import { startGateway } from './support/start-gateway.ts';

const say = (text: string): void => void process.stdout.write(`${text}\n`);

const port = Number(process.env['PORT'] ?? 3000);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  fail(`PORT must be an integer from 0 to 65535, got ${JSON.stringify(process.env['PORT'])}`);
}

say('1/3 starting a gateway ...');
const gateway = await startGateway(randomBytes(32).toString('base64url'));
say(`    it listens on ${gateway.endpoint}; its metrics: ${gateway.adminEndpoint}/metrics`);

say('2/3 starting the app of examples/notify ...');
const app = createNotifyApp(gateway.connectionString);
try {
  app.listen(port, '127.0.0.1');
  await once(app, 'listening');
} catch (error) {
  await gateway.stop();
  const { code, message } = error as NodeJS.ErrnoException;
  if (code !== 'EADDRINUSE') fail(message);
  fail(`port ${port} is taken: set PORT to a free one, for instance PORT=${port + 1} npm run demo`);
}

say('3/3 ready. Ctrl-C stops both. Open:\n');
say(`    http://127.0.0.1:${(app.address() as AddressInfo).port}/\n`);

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());

// npm passes SIGINT on, but a SIGTERM ends npm and its shell alone: nobody is left then who would stop this.
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) void stop();
}, 500).unref();

async function stop(): Promise<void> {
  if (stopping) return; // a terminal and npm both pass Ctrl-C on
  stopping = true;
  say('\nstopping ...');
  app.close();
  app.closeAllConnections();
  const code = await gateway.stop();
  say('stopped.');
  process.exit(code ?? 1);
}

function fail(line: string): never {
  process.stderr.write(`demo: ${line}\n`);
  process.exit(1);
}
