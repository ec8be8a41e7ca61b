import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { negotiateHandler, SignalboxClient, SignalboxError } from '@signalbox/app-sdk';
import type { Notify } from './contract.ts';

const page = readFileSync(new URL('../public/index.html', import.meta.url));
const client = readFileSync(createRequire(import.meta.url).resolve('@microsoft/signalr/dist/browser/signalr.min.js'));

const maxBodyBytes = 16 * 1024;
const maxNameChars = 40;
const maxTextChars = 1000;

/** The web app, not listening yet. Closing the server closes its way to the gateway too. */
export function createNotifyApp(connectionString: string | undefined): Server {
  const hub = new SignalboxClient<Notify>(connectionString, { hub: 'notify' });
  const negotiate = negotiateHandler.node(hub, (request) => {
    const userId = userOf(request);
    return userId === undefined ? null : { userId };
  });

  async function send(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const from = userOf(request);
    if (from === undefined) return answer(response, 401, 'Who are you?');
    const form = await readForm(request);
    if (form === undefined) return answer(response, 413, `The form must be at most ${maxBodyBytes} bytes`);
    const to = form.get('to')?.trim() ?? '';
    const text = form.get('text') ?? '';
    if (!isName(to)) return answer(response, 400, `"to" must be 1 to ${maxNameChars} characters, got ${to.length}`);
    if (text.length < 1 || text.length > maxTextChars) {
      return answer(response, 400, `"text" must be 1 to ${maxTextChars} characters, got ${text.length}`);
    }
    await hub.send(to, 'notified', from, text);
    answer(response, 202, 'Sent.');
  }

  const routes: Record<string, (request: IncomingMessage, response: ServerResponse) => void | Promise<void>> = {
    'GET /': (_request, response) => answer(response, 200, page, 'text/html; charset=utf-8'),
    'GET /signalr.js': (_request, response) => answer(response, 200, client, 'text/javascript'),
    'POST /negotiate': negotiate,
    'POST /send': send,
  };

  const server = createServer(async (request, response) => {
    const path = (request.url ?? '').split('?')[0];
    const route = routes[`${request.method} ${path}`];
    if (route === undefined) return answer(response, 404, 'Not found.');
    try {
      await route(request, response);
    } catch (error) {
      console.error(`${request.method} ${path} failed:`, error);
      const gatewayFailed = error instanceof SignalboxError;
      answer(response, gatewayFailed ? 502 : 500, gatewayFailed ? `Not sent: ${error.code}` : 'Failed.');
    }
  });
  return server.once('close', () => void hub.close());
}

/** Whoever gives a name is that user. A real app looks at its own login here. */
function userOf(request: IncomingMessage): string | undefined {
  const user = new URL(request.url ?? '/', 'http://app').searchParams.get('user')?.trim() ?? '';
  return isName(user) ? user : undefined;
}

function isName(text: string): boolean {
  return text.length >= 1 && text.length <= maxNameChars;
}

/** The fields of a posted form; undefined when it is too long. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

function answer(response: ServerResponse, status: number, body: string | Buffer, type = 'text/plain'): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}
