import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type HubContext, negotiateHandler, SignalboxClient, SignalboxError } from '@signalbox/app-sdk';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { decodeJwt } from 'jose';
import { afterEach, describe, expect, test, vi } from 'vitest';

const hub = new SignalboxClient('Endpoint=http://localhost:8888;AccessKey=secret', { hub: 'chat' });
const cleanUps: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  await Promise.all(cleanUps.splice(0).map((cleanUp) => cleanUp()));
});

async function listen(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A hub whose negotiate fails. */
const failing = (error: unknown): Pick<HubContext<never>, 'negotiate'> => ({ negotiate: () => Promise.reject(error) });

type Who = { userId?: string; claims?: Record<string, string> } | null;
type Ask = (url: string, init: { method: string; headers?: Record<string, string> }) => Promise<Response>;
interface Maker {
  name: string;
  /** Serves `/chat/negotiate`; the identity is asked of a header's value. */
  serve(hub: Pick<HubContext<never>, 'negotiate'>, who: (user: string | null) => Who): Promise<Ask>;
}

const overHttp =
  (base: string): Ask =>
  (url, init) =>
    fetch(base + url, init);

const makers: Maker[] = [
  {
    name: 'node:http',
    async serve(negotiator, who) {
      const handler = negotiateHandler.node(negotiator, (request) =>
        who(request.headers['x-user']?.toString() ?? null),
      );
      return overHttp(await listen((request, response) => handler(request, response)));
    },
  },
  {
    name: 'Express',
    async serve(negotiator, who) {
      const app = express();
      const router = express.Router();
      const identify = (request: express.Request) => who(request.get('x-user') ?? null);
      router.use('/negotiate', negotiateHandler.node(negotiator, identify));
      app.use('/chat', router);
      return overHttp(await listen(app));
    },
  },
  {
    name: 'Fastify',
    async serve(negotiator, who) {
      const app = Fastify();
      const identify = (request: { url: string; headers: Record<string, unknown> }) =>
        who((request.headers['x-user'] as string | undefined) ?? null);
      app.all('/chat/negotiate', negotiateHandler.fastify(negotiator, identify));
      cleanUps.push(() => app.close());
      return overHttp(await app.listen({ port: 0, host: '127.0.0.1' }));
    },
  },
  {
    name: 'Hono',
    async serve(negotiator, who) {
      const app = new Hono();
      const handler = negotiateHandler.fetch(negotiator, (request) => who(request.headers.get('x-user')));
      app.all('/chat/negotiate', (context) => handler(context.req.raw));
      return async (url, init) => app.request(`http://app.example${url}`, init);
    },
  },
];

describe.each(makers)('the negotiate handler of $name', ({ serve }) => {
  const who = (user: string | null): Who => (user === null ? null : { userId: user });

  test('answers 200 with where to go, and who is asking in the token', async () => {
    const ask = await serve(hub, who);
    const response = await ask('/chat/negotiate?negotiateVersion=1&a=b', {
      method: 'POST',
      headers: { 'x-user': 'u1' },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const answer = (await response.json()) as { url: string; accessToken: string };
    expect(answer).toMatchObject({ negotiateVersion: 0, availableTransports: [] });
    expect(answer.url).toMatch(
      /^http:\/\/localhost:8888\/client\/\?hub=chat&asrs\.op=%2Fchat&negotiateVersion=1&a=b&asrs_request_id=./,
    );
    expect(decodeJwt(answer.accessToken)).toMatchObject({
      'asrs.s.uid': 'u1',
      aud: 'http://localhost/client/?hub=chat',
    });
  });

  test('answers 401 to whom nobody knows', async () => {
    const ask = await serve(hub, who);
    expect((await ask('/chat/negotiate', { method: 'POST' })).status).toBe(401);
  });

  test('answers 405 to other methods, naming the one', async () => {
    const ask = await serve(hub, who);
    const response = await ask('/chat/negotiate', { method: 'GET', headers: { 'x-user': 'u1' } });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test('answers 413 when the claims make the token too long', async () => {
    const ask = await serve(hub, () => ({ claims: { long: 'x'.repeat(4000) } }));
    const response = await ask('/chat/negotiate', { method: 'POST' });
    expect([response.status, await response.text()]).toEqual([413, 'AccessToken must not be longer than 4K.']);
  });

  test.each(['ERR_NO_LINK', 'ERR_STOPPED'] as const)('answers 503 with Retry-After on %s', async (code) => {
    const ask = await serve(failing(new SignalboxError(code, 'secret detail')), () => ({}));
    const response = await ask('/chat/negotiate', { method: 'POST' });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await response.text()).not.toContain('secret');
  });

  test.each([new TypeError('secret detail'), new SignalboxError('ERR_ENCODE', 'secret detail')])(
    'lets the framework answer 500 to what nobody expected (%s)',
    async (error) => {
      const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
      const printed = vi.spyOn(console, 'error').mockReturnValue(undefined);
      const ask = await serve(failing(error), () => ({}));
      const response = await ask('/chat/negotiate', { method: 'POST' });
      written.mockRestore();
      printed.mockRestore();
      expect(response.status).toBe(500);
    },
  );

  test('lets the framework answer 500 when the app fails to say who is asking', async () => {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const printed = vi.spyOn(console, 'error').mockReturnValue(undefined);
    const ask = await serve(hub, () => {
      throw new Error('database down');
    });
    const response = await ask('/chat/negotiate', { method: 'POST' });
    written.mockRestore();
    printed.mockRestore();
    expect(response.status).toBe(500);
  });
});

describe('the handler of node:http', () => {
  test('without a framework logs what went wrong and does not tell the client', async () => {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const handler = negotiateHandler.node(failing(new Error('database down')), () => ({}));
    const base = await listen((request, response) => handler(request, response));
    const response = await fetch(`${base}/chat/negotiate`, { method: 'POST' });
    expect(await response.text()).toBe('Negotiate failed.');
    const line = JSON.parse(String(written.mock.calls[0]?.[0]));
    written.mockRestore();
    expect(line).toMatchObject({ level: 'error', msg: 'negotiate failed', error: 'Error: database down' });
  });

  test('gives the error to the next of Express', async () => {
    const app = express();
    const error = new TypeError('mine');
    const seen: unknown[] = [];
    app.post(
      '/negotiate',
      negotiateHandler.node(failing(error), () => ({})),
    );
    const handle: express.ErrorRequestHandler = (reason, _request, response, _next) => {
      seen.push(reason);
      response.sendStatus(599);
    };
    app.use(handle);
    const response = await fetch(`${await listen(app)}/negotiate`, { method: 'POST' });
    expect([response.status, seen]).toEqual([599, [error]]);
  });

  test('lets the app replace the request', async () => {
    const handler = negotiateHandler.node(hub, async () => ({ request: { url: '/other/negotiate' }, requestId: 'r' }));
    const base = await listen((request, response) => handler(request, response));
    const response = await fetch(`${base}/chat/negotiate?x=1`, { method: 'POST' });
    const { url } = (await response.json()) as { url: string };
    expect(url).toBe('http://localhost:8888/client/?hub=chat&asrs.op=%2Fother&asrs_request_id=r');
  });
});
