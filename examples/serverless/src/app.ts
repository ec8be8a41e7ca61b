import { readFileSync } from 'node:fs';
import type { RequestListener, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { negotiateHandler, WebhookApp } from '@signalbox/app-sdk';
import { poll } from './poll.ts';

/** The web app, for any server of node:http. */
export interface PollApp {
  readonly listener: RequestListener;
  /** Lets the calls under way end. */
  close(): Promise<void>;
}

const page = readFileSync(new URL('../public/index.html', import.meta.url));
const client = readFileSync(createRequire(import.meta.url).resolve('@microsoft/signalr/dist/browser/signalr.min.js'));

/** Makes it. The gateway's SIGNALBOX_UPSTREAM must be its URL with `/upstream` behind it. */
export function createPollApp(connectionString: string | undefined): PollApp {
  const webhooks = new WebhookApp(connectionString, { hubs: [poll] });
  const negotiate = negotiateHandler.node(webhooks.hub(poll), () => ({})); // everybody may vote
  const routes: Readonly<Record<string, RequestListener>> = {
    'GET /': (_request, response) => answer(response, 200, page, 'text/html; charset=utf-8'),
    'GET /signalr.js': (_request, response) => answer(response, 200, client, 'text/javascript'),
    'POST /poll/negotiate': negotiate,
    'POST /upstream': webhooks.node,
  };
  return {
    listener: (request, response) => {
      const route = routes[`${request.method} ${(request.url ?? '').split('?')[0]}`];
      if (route === undefined) answer(response, 404, 'Not found.');
      else route(request, response);
    },
    close: () => webhooks.close(),
  };
}

function answer(response: ServerResponse, status: number, body: string | Buffer, type = 'text/plain'): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}
