import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { json, type RestServer, startRest } from './rest-server.ts';

let rest: RestServer;
beforeAll(async () => {
  rest = await startRest();
});
afterAll(() => rest.close());
beforeEach(() => rest.reset());

describe('routes', () => {
  test.each(['/api/health', '/api/v1/health', '/api/health?api-version=2022-06-01'])(
    '%s is open to anybody, whatever the token',
    async (target) => {
      for (const method of ['HEAD', 'GET']) {
        const answer = await rest.call(method, target, { headers: { authorization: 'nonsense' } });
        expect([answer.status, answer.body]).toEqual([200, '']);
      }
      expect(rest.verified).toEqual([]);
    },
  );

  test.each(['/api', '/api/', '/api/v1-preview/hub/chat', '/api/v1/hubs', '/api/hubs/chat/nothing', '/api//hubs/chat'])(
    '%s is no operation',
    async (target) => {
      const answer = await rest.call('POST', target, json);
      expect([answer.status, answer.headers['x-ms-error-code']]).toEqual([404, 'Error.Request.NotFound']);
      expect(rest.events[0]?.operation).toBe('unknown');
    },
  );

  test('what is not below /api is left to others', async () => {
    expect((await rest.call('GET', '/apiary')).status).toBe(404);
    expect(rest.events).toEqual([]);
  });

  test('a wrong method is 405 and names the right ones', async () => {
    const answer = await rest.call('PATCH', '/api/hubs/chat/users/u');
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST, HEAD, GET']);
  });

  test('one slash at the end is ignored, an empty name is refused', async () => {
    expect((await rest.call('POST', '/api/v1/hubs/chat/', json)).status).toBe(202);
    expect((await rest.call('HEAD', '/api/hubs/chat/groups/g/')).status).toBe(200);
    const answer = await rest.call('POST', '/api/hubs/chat/users//:send', json);
    expect([answer.status, JSON.parse(answer.body).message]).toEqual([
      400,
      '"user" must be 1 to 1024 characters, got 0',
    ]);
  });

  test.each([
    ['a%2Fb%20c+%C3%BC%25', 'a/b c+ü%'],
    ['%2541', '%41'],
    ['a%20', 'a '],
    [':send', ':send'],
  ])('the group %s is literally %j', async (encoded, literal) => {
    await rest.call('HEAD', `/api/hubs/chat/groups/${encoded}`);
    expect(rest.commands).toMatchObject([{ at: { kind: 'group', group: literal } }]);
  });

  test.each(['%', '%zz', '%ff', '%C3'])('the segment %s is no UTF-8 and is refused', async (segment) => {
    const answer = await rest.call('HEAD', `/api/hubs/chat/groups/${segment}`);
    expect([answer.status, answer.headers['x-ms-error-code']]).toEqual([400, 'Error.Request.Invalid']);
  });

  test.each([undefined, '1.0', '2022-06-01', '2022-11-01', '2023-07-01', '2024-12-01', '2026-07-01'])(
    'api-version %s is known',
    async (version) => {
      const query = version === undefined ? '' : `?api-version=${version}`;
      expect((await rest.call('HEAD', `/api/hubs/chat/users/u${query}`)).status).toBe(200);
    },
  );

  test('an unknown api-version is refused by its name', async () => {
    const { status, body } = await rest.call('GET', '/api/hubs/chat/users/u?api-version=2021-01-01');
    expect(status).toBe(400);
    expect(JSON.parse(body).message).toBe(
      '"api-version" must be one of 1.0, 2022-06-01, 2022-11-01, 2023-07-01, 2024-12-01, 2026-07-01, got "2021-01-01"',
    );
  });
});

describe('tokens', () => {
  test('the verifier is asked about the path as it was sent', async () => {
    await rest.call('HEAD', '/api/hubs/Chat/users/a%2Fb?application=App');
    expect(rest.verified).toEqual([{ token: 'good-token', use: { role: 'api', path: '/api/hubs/Chat/users/a%2Fb' } }]);
  });

  test('a token in the query is none', async () => {
    expect(
      (await rest.call('HEAD', '/api/hubs/chat/users/u?access_token=good-token', { headers: { authorization: '' } }))
        .status,
    ).toBe(401);
  });

  test.each(['', 'Bearer', 'Basic abc', 'Bearer bad-token', 'Bearer good-token more', 'good-token'])(
    'Authorization %j is 401 and nothing is sent',
    async (authorization) => {
      const answer = await rest.call('POST', '/api/hubs/chat/:send', {
        ...json,
        headers: { ...json.headers, authorization },
      });
      expect([answer.status, answer.headers['x-ms-error-code']]).toEqual([401, 'Error.Request.Unauthorized']);
      expect(rest.commands).toEqual([]);
    },
  );
});
