import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { AppServer, negotiateHandler, type StopOptions } from '@signalbox/app-sdk';
import { chat, maxNameChars } from './chat.ts';

/** The chat, listening. */
export interface ChatApp {
  readonly url: string;
  /** Clients go to another app server, or have 30 s; `options` say otherwise. Then the web server closes. */
  stop(options?: StopOptions): Promise<void>;
}

const signalR = createRequire(import.meta.url).resolve('@microsoft/signalr/dist/browser/signalr.min.js');
const own = (file: string): Buffer => readFileSync(new URL(`../public/${file}`, import.meta.url));

/** All that is served, by path. */
const files: Readonly<Record<string, readonly [type: string, content: Buffer]>> = {
  '/': ['text/html; charset=utf-8', own('index.html')],
  '/chat.css': ['text/css; charset=utf-8', own('chat.css')],
  '/chat.js': ['text/javascript; charset=utf-8', own('chat.js')],
  '/page.js': ['text/javascript; charset=utf-8', own('page.js')],
  '/signalr.js': ['text/javascript; charset=utf-8', readFileSync(signalR)],
};

/**
 * Starts the web server on this port (0: a free one), of this machine alone unless `host` says otherwise, and the app server
 * with the hub. Rejects when the port is taken or the gateway refuses, and leaves nothing behind then.
 */
export async function startChatApp(
  connectionString: string | undefined,
  port: number,
  host = '127.0.0.1',
): Promise<ChatApp> {
  const server = new AppServer(connectionString, { hubs: [chat] });
  const negotiate = negotiateHandler.node(server.hub(chat), (request) => {
    const userId = userOf(request);
    return userId === undefined ? null : { userId };
  });
  const web = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    if (path === '/chat/negotiate') return negotiate(request, response);
    if (path === '/readyz') return ready(server, response);
    const [type, content] = files[path] ?? [];
    if (type === undefined) return answer(response, 404, 'Not found.\n');
    answer(response, 200, content, type);
  });
  const stop = async (options?: StopOptions): Promise<void> => {
    await server.stop(options);
    web.close();
    web.closeAllConnections();
  };
  try {
    web.listen(port, host);
    await once(web, 'listening');
    await server.start();
  } catch (error) {
    await stop({ graceMs: 0 });
    throw error;
  }
  return { url: `http://127.0.0.1:${(web.address() as AddressInfo).port}`, stop };
}

/** Whoever gives a name is that user: there are no passwords. A real app looks at its own login here. */
function userOf(request: IncomingMessage): string | undefined {
  const user = new URL(request.url ?? '/', 'http://app').searchParams.get('user')?.trim() ?? '';
  return user.length >= 1 && user.length <= maxNameChars ? user : undefined;
}

/** For a balancer: send nobody here while no link is up, nor during the stop. */
function ready(server: AppServer, response: ServerResponse): void {
  const { state } = server.health();
  answer(response, state === 'ready' ? 200 : 503, `${state}\n`);
}

function answer(
  response: ServerResponse,
  status: number,
  body: string | Buffer | undefined,
  type = 'text/plain',
): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}
