import { ClientResultError, type SignalboxClient } from '@signalbox/app-sdk';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Chat } from './support/chat.ts';
import { refusal, requestLine } from './support/rest-server.ts';
import { restSetup } from './support/rest-setup.ts';

const rest = restSetup();
let hub: SignalboxClient<Chat>;

beforeEach(() => {
  hub = rest.client<Chat>();
});

const later = 'api-version=2024-12-01';
describe('invoke', () => {
  const ask = (): Promise<string> => hub.clients.client('c 1').invoke('ask', 'name?');

  test('gives the result of the client', async () => {
    rest.server.answer = () => ({ status: 200, body: '{"result":"Bob"}' });
    expect(await ask()).toBe('Bob');
    expect(rest.server.seen.map(requestLine)).toEqual([`POST /api/hubs/chat/connections/c%201/:invoke?${later}`]);
    expect(rest.server.seen[0]?.claims.aud).toBe('http://localhost/api/hubs/chat/connections/c%201/:invoke');
    expect(rest.server.seen[0]?.body).toBe('{"target":"ask","arguments":["name?"]}');
  });

  test.each([
    [refusal(404, 'Warning.Connection.NotExisted'), 'ERR_CLIENT_GONE', 'notSent', true],
    [refusal(400, 'Error.Connection.Failed', 'no name'), 'ERR_CLIENT_FAILED', 'unknown', true],
    [refusal(504, 'Error.Request.Timeout'), 'ERR_TIMEOUT', 'unknown', true],
    [refusal(400, 'Error.Request.Invalid'), 'ERR_INVALID_REQUEST', 'notSent', false],
    [404, 'ERR_NOT_SUPPORTED', 'notSent', false],
    [501, 'ERR_NOT_SUPPORTED', 'notSent', false],
    [{ status: 200, body: 'x' }, 'ERR_UNAVAILABLE', 'unknown', false],
  ] as const)('answered with %j rejects with %s', async (answer, code, outcome, byClient) => {
    rest.server.answer = () => answer;
    const error = await ask().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code, outcome });
    expect(error instanceof ClientResultError).toBe(byClient);
    if (byClient) expect(error).toMatchObject({ connectionId: 'c 1' });
    expect(rest.server.seen).toHaveLength(1);
  });

  test('tells what the client said', async () => {
    rest.server.answer = () => refusal(400, 'Error.Connection.Failed', 'no name');
    await expect(ask()).rejects.toThrow('no name');
  });

  test('names the application, and stands in no line with "ordered: false"', async () => {
    rest.server.answer = () => ({ status: 200, body: '{"result":1}' });
    const app = rest.client({ application: 'App', ordered: false });
    expect(await app.clients.client('c').invoke('x')).toBe(1);
    expect(rest.server.seen[0]?.query).toBe(`application=app&${later}`);
  });

  test('refuses an answer of more than 8 MiB instead of keeping it', async () => {
    rest.server.answer = () => ({ status: 200, body: `{"result":"${'x'.repeat(9 * 1024 * 1024)}"}` });
    await expect(ask()).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE', outcome: 'unknown' });
  });
});
