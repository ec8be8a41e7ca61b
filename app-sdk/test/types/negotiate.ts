/** How negotiate handlers fit their frameworks. Compiled, never run. */
import { createServer } from 'node:http';
import { type HubContext, negotiateHandler } from '@signalbox/app-sdk';
import express, { type Request as ExpressRequest } from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import type { Chat } from './chat.ts';

declare const hub: HubContext<Chat>;

interface LoggedIn {
  user?: { id: string; roles: string[]; expires: Date };
}

const app = express();
const login = (request: ExpressRequest & LoggedIn) =>
  request.user
    ? { userId: request.user.id, claims: { role: request.user.roles }, closeOnAuthExpiration: request.user.expires }
    : null;
app.post('/a', negotiateHandler.node(hub, login));
app.post(
  '/b',
  negotiateHandler.node(hub, (request) => ({ userId: String(request.headers['x-user']) })),
);

createServer(
  negotiateHandler.node(hub, async ({ headers }) => (headers.authorization ? { userId: headers.authorization } : null)),
);

const hono = new Hono<{ Variables: { user: { id: string } } }>();
hono.post('/n', async (context) =>
  context.json(await hub.negotiate({ userId: context.get('user').id, request: context.req.raw })),
);

const fastify = Fastify();
fastify.post(
  '/a',
  negotiateHandler.fastify(hub, (request) => ({ userId: request.url })),
);
fastify.post('/b', (request) => hub.negotiate({ request }));

export const POST = negotiateHandler.fetch(hub, (request) => ({ userId: request.headers.get('x') ?? '' }));

// @ts-expect-error an identity has no such member
negotiateHandler.fetch(hub, () => ({ user: 'alice' }));
// @ts-expect-error no such transport
void hub.negotiate({ transports: ['Carrier pigeon'] });
// @ts-expect-error a claim is a value or a list of texts
void hub.negotiate({ claims: { role: { admin: true } } });
