import { request } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { createHttpServer, type HttpAnswer, type HttpRequest, type HttpServer } from '../../src/http.ts';
import { head, raw } from './raw.ts';

const bodyBytes = 2000;
const limit = 1000;

let server: HttpServer;
let port: number;
let url: string;
let seen: string[];
let defects: unknown[];
/** What handlers wait for; the test opens it. */
let gate: { open(): void; readonly opened: Promise<void> };
let arrived: { open(): void; readonly opened: Promise<void> };

function makeGate(): { open(): void; readonly opened: Promise<void> } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

type Handler = (request: HttpRequest) => Promise<HttpAnswer> | HttpAnswer;

const handlers: Record<string, Handler> = {
  '/hello': () => ({ status: 200, headers: { 'X-Word': 'w' }, body: 'hello' }),
  '/throws': () => {
    throw new Error('boom');
  },
  '/rejects': async () => {
    throw new Error('boom later');
  },
  '/refuses': () => {
    throw new GatewayError('limit_reached', 'the rule');
  },
  '/unwritable': () => ({ status: 200, headers: { 'X-Bad': {} as string } }),
  '/empty': () => ({ status: 204 }),
  '/accepted': () => ({ status: 202 }),
  '/close': () => ({ status: 200, body: 'bye', close: true }),
  '/body': async (given) => {
    arrived.open();
    await gate.opened;
    return { status: 200, body: await given.body(limit) };
  },
  '/late': async () => {
    arrived.open();
    await gate.opened;
    return { status: 200, body: 'late' };
  },
  '/copied': async (given) => {
    await new Promise(setImmediate);
    const facts = [given.method, given.path, given.query.getAll('a'), given.header('x-twice'), given.sender.address];
    return { status: 200, body: JSON.stringify(facts) };
  },
};

beforeAll(async () => {
  server = await createHttpServer({ bodyBytes, defect: (error) => defects.push(error) });
  server.mount((given) => {
    seen.push(`${given.method} ${given.path}`);
    return undefined;
  });
  server.mount((given) => handlers[given.path]?.(given));
  server.mount((given) => (given.path.startsWith('/a%2Fb') ? { status: 200, body: given.path } : undefined));
  port = await server.listen('127.0.0.1', 0, true);
  url = `http://127.0.0.1:${port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  seen = [];
  defects = [];
  gate = makeGate();
  arrived = makeGate();
});

describe('framing', () => {
  const evil = head('GET /evil');
  const hello = 'hello';

  const refused: Record<string, { lines: string[]; rule: string }> = {
    'two different Content-Length': { lines: ['Content-Length: 5', 'Content-Length: 6'], rule: 'at most once' },
    'two equal Content-Length': { lines: ['Content-Length: 5', 'Content-Length: 5'], rule: 'at most once' },
    'a Content-Length that is empty': { lines: ['Content-Length:'], rule: '1 to 15 digits' },
    'a Transfer-Encoding that is not chunked': { lines: ['Transfer-Encoding: gzip, chunked'], rule: 'must be chunked' },
    'a Transfer-Encoding that is empty': {
      lines: ['Transfer-Encoding:', 'Content-Length: 5'],
      rule: 'must be chunked',
    },
    'two Transfer-Encoding': {
      lines: ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
      rule: 'at most once',
    },
  };
  for (const [name, { lines, rule }] of Object.entries(refused)) {
    it(`${name} is 400, the socket is closed and no handler runs`, async () => {
      const body = lines.some((line) => /chunked/.test(line)) ? '0\r\n\r\n' : '';
      const text = await (await raw(port, head('POST /hello', ...lines) + body)).closed();
      expect(text).toMatch(/^HTTP\/1\.1 400 /);
      expect(text).toContain('x-ms-error-code: Error.Request.Invalid');
      expect(text).toContain(rule);
      expect(seen).toEqual([]);
    });
  }

  for (const [name, length] of Object.entries({ signed: '+5', hexadecimal: '0x5', 'too long': '9'.repeat(20) })) {
    it(`a ${name} Content-Length is 400, the socket is closed and no handler runs`, async () => {
      const text = await (await raw(port, head('POST /hello', `Content-Length: ${length}`) + hello)).closed();
      expect(text).toMatch(/^HTTP\/1\.1 400 /);
      expect(seen).toEqual([]);
    });
  }

  it('Content-Length beside Transfer-Encoding is 400 and the socket is closed', async () => {
    const lines = ['Content-Length: 5', 'Transfer-Encoding: chunked'];
    const text = await (await raw(port, `${head('POST /hello', ...lines)}0\r\n\r\n`)).closed();
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(seen).toEqual([]);
  });

  it('what stands behind a duplicate Content-Length: 0 never runs as a second request', async () => {
    const lines = ['Content-Length: 0', `Content-Length: ${evil.length}`];
    await (await raw(port, head('POST /hello', ...lines) + evil)).closed();
    expect(seen).toEqual([]);
  });

  it('a correct request with a length, and one in chunks, are served on one socket', async () => {
    gate.open();
    const socket = await raw(port, head('POST /body', 'Content-Length: 5') + hello);
    await socket.until('\r\n\r\nhello');
    socket.write(`${head('POST /body', 'Transfer-Encoding: chunked')}3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n`);
    await socket.until('\r\n\r\nabcde');
    socket.socket.destroy();
    expect(seen).toEqual(['POST /body', 'POST /body']);
  });
});

describe('requests', () => {
  it('can be read after an await, the path undecoded, repeated keys and headers kept', async () => {
    const text = head('GET /copied?a=1&b=2&a=%2F', 'X-Twice: one', 'X-Twice: two');
    const answer = await (await raw(port, text)).until(']');
    expect(answer.slice(answer.indexOf('['))).toBe('["GET","/copied",["1","/"],"one, two","127.0.0.1"]');
  });

  it('keep an escaped slash in their path', async () => {
    const { body } = await request(`${url}/a%2Fb`);
    expect(await body.text()).toBe('/a%2Fb');
  });

  it('may have a head of 15 KB', async () => {
    const { statusCode } = await request(`${url}/hello?access_token=${'x'.repeat(15_000)}`);
    expect(statusCode).toBe(200);
  });

  it('with a head above 16 KB are 431 and the socket is closed', async () => {
    const text = await (await raw(port, head(`GET /hello?a=${'x'.repeat(17_000)}`))).closed();
    expect(text).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('of a client that leaves are forgotten: a late answer goes nowhere and the server lives', async () => {
    const socket = await raw(port, head('GET /late'));
    await arrived.opened;
    socket.socket.destroy();
    await socket.closed();
    gate.open();
    expect((await request(`${url}/hello`)).statusCode).toBe(200);
    expect(defects).toEqual([]);
  });

  it('whose body is cut off end the wait for it', async () => {
    const socket = await raw(port, `${head('POST /body', 'Content-Length: 50')}abc`);
    await arrived.opened;
    gate.open();
    socket.socket.destroy();
    await socket.closed();
    expect((await request(`${url}/hello`)).statusCode).toBe(200);
    expect(defects).toEqual([]);
  });
});

describe('bodies', () => {
  it('that came before the handler asked are kept', async () => {
    const waiting = request(`${url}/body`, { method: 'POST', body: 'x'.repeat(limit) });
    await arrived.opened;
    gate.open();
    const { statusCode, body } = await waiting;
    expect([statusCode, await body.text()]).toEqual([200, 'x'.repeat(limit)]);
  });

  it('announced above the limit are 413 before they came', async () => {
    gate.open();
    const socket = await raw(port, head('POST /body', `Content-Length: ${limit + 1}`));
    const text = await socket.until('}');
    socket.socket.destroy();
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    expect(text).toContain('"the body must be at most 1000 bytes"');
    expect(text).toContain('x-ms-error-code: Error.Request.TooLarge');
    expect(text).toContain('Connection: close');
  });

  it('in chunks above the limit are 413 before they ended', async () => {
    gate.open();
    const chunk = `190\r\n${'x'.repeat(400)}\r\n`;
    const socket = await raw(port, head('POST /body', 'Transfer-Encoding: chunked') + chunk + chunk);
    socket.write(chunk);
    expect(await socket.until('}')).toMatch(/^HTTP\/1\.1 413 /);
    socket.socket.destroy();
  });

  it('above what the server keeps are 413, though the handler asks late', async () => {
    const waiting = request(`${url}/body`, { method: 'POST', body: 'x'.repeat(bodyBytes + 1) });
    await arrived.opened;
    gate.open();
    expect((await waiting).statusCode).toBe(413);
  });

  it('that nobody reads do not disturb the next request on the socket', async () => {
    const socket = await raw(port, head('POST /hello', 'Content-Length: 100'));
    await socket.until('hello');
    socket.write('x'.repeat(100) + head('GET /accepted'));
    expect(await socket.until('202 Accepted')).toContain('200 OK');
    socket.socket.destroy();
  });
});

describe('answers', () => {
  it('to HEAD have the headers and the length, but no body', async () => {
    const socket = await raw(port, head('HEAD /hello') + head('GET /accepted'));
    const text = await socket.until('202 Accepted');
    socket.socket.destroy();
    expect(text).toContain('X-Word: w\r\n');
    expect(text).toContain('Content-Length: 5\r\n');
    expect(text).not.toContain('hello');
  });

  it('to HEAD that refuse keep the error code', async () => {
    const { statusCode, headers, body } = await request(`${url}/refuses`, { method: 'HEAD' });
    expect([statusCode, headers['x-ms-error-code'], await body.text()]).toEqual([429, 'Error.Request.Throttled', '']);
  });

  it('of 204 have neither body nor length', async () => {
    const socket = await raw(port, head('GET /empty') + head('GET /accepted'));
    const text = await socket.until('202 Accepted');
    socket.socket.destroy();
    expect(text.slice(0, text.indexOf('\r\n\r\n'))).not.toContain('Content-Length');
  });

  it('that end the socket say so', async () => {
    const text = await (await raw(port, head('GET /close'))).closed();
    expect(text).toContain('Connection: close\r\n');
    expect(text.endsWith('bye')).toBe(true);
  });

  it('to a path of nobody are 404 route_unknown with an ErrorDetail', async () => {
    const { statusCode, headers, body } = await request(`${url}/nobody`);
    expect(statusCode).toBe(404);
    expect(headers['x-ms-error-code']).toBe('Error.Request.NotFound');
    expect(await body.json()).toEqual({ code: 'Error.Request.NotFound', message: 'no operation has the path /nobody' });
  });

  it('to a refusal carry its status, code and sentence', async () => {
    const { statusCode, headers, body } = await request(`${url}/refuses`);
    expect(statusCode).toBe(429);
    expect(headers['content-type']).toBe('application/json');
    expect(await body.json()).toEqual({ code: 'Error.Request.Throttled', message: 'the rule' });
    expect(defects).toEqual([]);
  });
});

describe('two requests on one socket', () => {
  for (const method of ['GET', 'HEAD', 'POST']) {
    it(`${method} and then another are both answered`, async () => {
      const socket = await raw(port, head(`${method} /hello`));
      await socket.until('\r\n\r\n');
      socket.write(head('GET /accepted'));
      await socket.until('202 Accepted');
      socket.socket.destroy();
    });
  }

  it('sent before the first is answered close the socket: nothing is answered out of order', async () => {
    const socket = await raw(port, head('GET /late'));
    await arrived.opened;
    socket.write(head('GET /hello'));
    expect(await socket.closed()).toBe('');
    expect(seen).toEqual(['GET /late']);
    gate.open();
  });
});

describe('a defect', () => {
  for (const path of ['/throws', '/rejects']) {
    it(`in a handler (${path}) is 500, told once, and its text is not shown`, async () => {
      const { statusCode, body } = await request(url + path);
      expect(statusCode).toBe(500);
      expect(await body.text()).not.toContain('boom');
      expect(defects).toHaveLength(1);
    });
  }

  it('in an answer closes the socket and ends nothing else', async () => {
    await (await raw(port, head('GET /unwritable'))).closed();
    expect(defects).toHaveLength(1);
    expect((await request(`${url}/hello`)).statusCode).toBe(200);
  });
});

describe('listening', () => {
  it('refuses a taken port when it must be its own, and names it', async () => {
    const second = await createHttpServer({ bodyBytes, defect: () => undefined });
    await expect(second.listen('127.0.0.1', port, true)).rejects.toThrow(`cannot listen on 127.0.0.1, port ${port}`);
    second.close();
  });

  it('ends for new sockets while those that are there are served: once more, or on where the path says so', async () => {
    const own = await createHttpServer({ bodyBytes, staysAt: (path) => path === '/stay', defect: () => undefined });
    own.mount(({ path }) => ({ status: 200, body: `served ${path}` }));
    const ownPort = await own.listen('127.0.0.1', 0, true);
    const living = await raw(ownPort, head('GET /'));
    await living.until('served');
    own.stopListening();
    await expect(request(`http://127.0.0.1:${ownPort}/`)).rejects.toThrow('ECONNREFUSED');
    for (const path of ['/stay', '/stay', '/go']) {
      living.write(head(`GET ${path}`));
      await living.until(`served ${path}`);
    }
    const [kept, told] = (await living.closed()).split('served /stay').slice(-2);
    expect([kept, told].map((text) => text?.includes('Connection: close'))).toEqual([false, true]);
    own.close();
  });

  it('is over when every request that came is answered', async () => {
    const own = await createHttpServer({ bodyBytes, defect: () => undefined });
    const [came, gate] = [makeGate(), makeGate()];
    const told: string[] = [];
    own.mount(async () => {
      came.open();
      await gate.opened;
      told.push('answered');
      return { status: 200 };
    });
    const ownPort = await own.listen('127.0.0.1', 0, true);
    await own.idle();
    const asked = await raw(ownPort, head('GET /'));
    await came.opened;
    const idle = own.idle().then(() => told.push('idle'));
    gate.open();
    await idle;
    await asked.until('200');
    expect(told).toEqual(['answered', 'idle']);
    own.close();
  });
});
