/** What a webhook app must and must not let through. Compiled, never run. */
import { createServer } from 'node:http';
import { defineHub, type HubContext, type HubFilter, WebhookApp } from '@signalbox/app-sdk';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { chat } from '../examples/chat.ts';
import type { Chat } from '../examples/contract.ts';

const timing: HubFilter = async (event, next) => {
  void event.kind;
  return await next();
};
const other = defineHub<{ server: object; client: { x(): void } }>({ name: 'other', methods: {} });
const webhooks = new WebhookApp(process.env['SIGNALBOX_CONNECTION_STRING'], {
  hubs: [chat, other],
  filters: [timing],
  previousKeys: ['old'],
  maxBodyBytes: 1024,
});

createServer(webhooks.node);
express().post('/upstream', webhooks.node);
new Hono().post('/upstream', (c) => webhooks.fetch(c.req.raw));
const fastify = Fastify();
fastify.register(webhooks.fastify, { prefix: '/upstream' });
fastify.register(webhooks.fastify);
export const POST: (request: Request) => Promise<Response> = webhooks.fetch;

void webhooks.hub(chat).clients.all.receiveMessage('a', 'b');
const context: HubContext<Chat> = webhooks.hub(chat);
void (async () => {
  await using disposed = new WebhookApp('', { hubs: [chat] });
  await disposed.close();
})();

// @ts-expect-error hubs are needed
void new WebhookApp('', {});
// @ts-expect-error links are an app server's
void new WebhookApp('', { hubs: [chat], links: 2 });
// @ts-expect-error a list of keys
void new WebhookApp('', { hubs: [chat], previousKeys: 'old' });
// @ts-expect-error the contract comes with the definition
void webhooks.hub(chat).clients.all.receiveMessage('a', 1);
// @ts-expect-error no caller outside a call
void webhooks.hub(chat).clients.caller;
// @ts-expect-error another hub
const wrong: HubContext<Chat> = webhooks.hub(other);

void [context, wrong];
