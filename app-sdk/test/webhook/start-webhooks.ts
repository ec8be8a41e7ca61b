import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WebhookApp } from '@signalbox/app-sdk';
import {
  connectedBody,
  type HubMessage,
  hubProtocol,
  type WebhookClient,
  webhookContentTypes,
  webhookSignature,
  writeWebhookClient,
  writeWebhookEvent,
} from '@signalbox/app-sdk/protocol';
import express from 'express';
import Fastify from 'fastify';

type Ask = (init: RequestInit) => Promise<Response>;

/** An app that takes webhooks at one URL. */
export interface Served {
  readonly ask: Ask;
  stop(): Promise<void>;
}

async function listen(listener: RequestListener, path: string): Promise<Served> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  return {
    ask: (init) => fetch(url, init),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** All ways in which an app may be served. */
export const frameworks: Readonly<Record<string, (webhooks: WebhookApp) => Promise<Served>>> = {
  'node:http': (webhooks) => listen((request, response) => webhooks.node(request, response), '/'),
  Express: (webhooks) => listen(express().post('/upstream', webhooks.node), '/upstream'),
  'Express behind body parsers': (webhooks) => {
    const app = express().use(
      express.json({ limit: '9mb' }),
      express.raw({ limit: '9mb', type: 'application/x-msgpack' }),
    );
    return listen(app.post('/upstream', webhooks.node), '/upstream');
  },
  Fastify: async (webhooks) => {
    const app = Fastify();
    app.register(webhooks.fastify, { prefix: '/upstream' });
    const base = await app.listen({ port: 0, host: '127.0.0.1' });
    return {
      ask: (init) => fetch(`${base}/upstream/chat/messages`, init),
      stop: async () => {
        app.server.closeAllConnections();
        await app.close();
      },
    };
  },
  'Request and Response': async (webhooks) => ({
    ask: (init) => webhooks.fetch(new Request('http://app/upstream', init)),
    stop: async () => undefined,
  }),
};

/** Posts webhooks as the gateway does. */
export class Poster {
  readonly #ask: Ask;
  readonly #key: string;

  constructor(ask: Ask, key: string) {
    this.#ask = ask;
    this.#key = key;
  }

  /** Any webhook; `headers` stand above the usual ones, and null takes one away. */
  async post(
    {
      category = 'connections',
      event = 'connected',
      ...client
    }: Partial<WebhookClient> & { category?: string; event?: string },
    body: Uint8Array | string = connectedBody(),
    headers: Readonly<Record<string, string | null>> = {},
  ): Promise<Response> {
    const facts = { connectionId: 'conn1', hub: 'chat', userId: undefined, claims: [], query: '', ...client };
    const all: Record<string, string | null> = {
      ...Object.fromEntries(writeWebhookClient(facts, webhookSignature([this.#key], facts.connectionId))),
      ...Object.fromEntries(writeWebhookEvent(category, event)),
      'content-type': 'application/json',
      'x-signalbox': '1',
      ...headers,
    };
    const given = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== null);
    return await this.#ask({
      method: 'POST',
      headers: given,
      body: typeof body === 'string' ? body : Buffer.from(body),
    });
  }

  /** An invocation of this client; gives its completion, or the status where there is none. */
  async invoke(
    name: 'json' | 'messagepack',
    target: string,
    args: readonly unknown[],
    client: Partial<WebhookClient> = {},
    more: { invocationId?: string; streamIds?: string[] } = { invocationId: '1' },
  ): Promise<HubMessage | number> {
    const protocol = hubProtocol(name)!;
    const [record] = protocol
      .split({ limit: 10_000_000 })
      .push(protocol.write({ kind: 'invocation', target, arguments: args, ...more }));
    const type = { 'content-type': webhookContentTypes[name] };
    const response = await this.post({ category: 'messages', event: target, ...client }, record, type);
    if (response.status !== 200) return response.status;
    const answer = new Uint8Array(await response.arrayBuffer());
    const [first, ...others] = protocol.split({ limit: 10_000_000 }).push(answer);
    const message = first && protocol.parse(first);
    if (message === undefined || others.length > 0) throw new Error('the answer must be one message');
    return message;
  }
}
