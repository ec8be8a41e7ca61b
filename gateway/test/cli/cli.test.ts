import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { CliProcess } from '../support/cli-process.ts';
import type { Env } from '../support/gateway-process.ts';
import { OfficialClient } from '../support/official-client.ts';
import { adminToken } from '../support/operator.ts';
import { freePort } from '../support/redis.ts';
import { connectionString, type Service, startService } from '../support/service.ts';
import { accessKey } from '../support/tokens.ts';
import { until } from '../support/until.ts';

let service: Service;
let app: Env;
let operator: Env;

beforeAll(async () => {
  // A node that is slow to answer is not taken for one that is gone.
  service = await startService({ env: { SIGNALBOX_ADMIN_TOKEN: adminToken, SIGNALBOX_ASK_MS: '15000' } });
  app = { SIGNALBOX_CONNECTION_STRING: connectionString(service.node(0).origin) };
  operator = { SIGNALBOX_ADMIN_TOKEN: adminToken, SIGNALBOX_ADMIN_PORT: String(service.node(0).adminPort) };
});
afterAll(() => service[Symbol.asyncDispose]());

describe('signalbox', () => {
  test('--help, --version and each command with --help print and end with 0', async () => {
    for (const args of [['--help'], ['--version'], ['token', '--help'], ['start', '--settings']]) {
      const { code, stdout, stderr } = await CliProcess.run(args);
      expect([args, code, stderr, stdout.length > 4]).toEqual([args, 0, '', true]);
    }
  });

  test('a command that there is not ends with 2 and one line', async () => {
    expect(await CliProcess.run(['tell'])).toEqual({
      code: 2,
      stdout: '',
      stderr: 'signalbox "tell" is no command; signalbox --help lists them\n',
    });
  });
});

describe('signalbox start', () => {
  test.each([[['start']], [[]]])('%j starts a node that stops at a signal with 0', async (args) => {
    const cli = new CliProcess(args, { PORT: '0', SIGNALBOX_ADMIN_PORT: '0', SIGNALBOX_ACCESS_KEY: accessKey });
    await cli.lines.one('listening', (line) => line.includes('"msg":"listening"'), 30_000);
    expect((await cli.interrupt()).code).toBe(0);
  });

  test('a wrong setting ends it with 2 and one line', async () => {
    const { code, stderr } = await CliProcess.run(['start'], { PORT: 'x' });
    const rule = 'PORT must be an integer from 0 to 65535 (0: any free port), got "x"';
    expect([code, stderr]).toEqual([2, `signalbox start: ${rule}\n`]);
  });
});

describe('signalbox check-config', () => {
  const secrets = { SIGNALBOX_ACCESS_KEY: accessKey, SIGNALBOX_ADMIN_TOKEN: adminToken };

  test('prints what is in force, and no secret', async () => {
    const { code, stdout } = await CliProcess.run(['check-config'], { ...secrets, PORT: '81' });
    expect([code, stdout.includes('PORT=81\n'), stdout.includes('SIGNALBOX_ADMIN_TOKEN=(set)')]).toEqual([
      0,
      true,
      true,
    ]);
    for (const secret of Object.values(secrets)) expect(stdout).not.toContain(secret);
    const json = await CliProcess.run(['check-config', '--json'], { ...secrets, PORT: '81' });
    expect(JSON.parse(json.stdout)).toMatchObject({ PORT: '81', SIGNALBOX_ACCESS_KEY: '(set)', REDIS_URL: '(unset)' });
  });

  test.each([
    [{ PORT: 'x' }, 'PORT must be'],
    [{ SIGNALBOX_HOST: '0.0.0.0' }, 'SIGNALBOX_ACCESS_KEY must be set'],
    [{ ...secrets, REDIS_URL: 'http://secret@host' }, 'REDIS_URL'],
    [{ ...secrets, SIGNALBOX_UPSTREAM: 'ftp://secret@host' }, 'SIGNALBOX_UPSTREAM'],
    [{ ...secrets, SIGNALBOX_WORKERS: '2' }, 'REDIS_URL must be set'],
    [{ SIGNALBOX_ADMIN_TOKEN: 'short' }, 'SIGNALBOX_ADMIN_TOKEN must be'],
    [{ SIGNALBOX_NOTHING: '1' }, 'SIGNALBOX_NOTHING is no setting'],
  ])('%j ends with 2 and a line that names it', async (env: Env, text) => {
    const { code, stdout, stderr } = await CliProcess.run(['check-config'], env);
    expect([code, stdout, stderr.trimEnd().split('\n').length]).toEqual([2, '', 1]);
    expect(stderr).toContain(text);
    expect(stderr).not.toMatch(/secret@|short/);
  });
});

describe('signalbox token', () => {
  test('client: what it prints connects a client as this user, with these claims', async () => {
    const args = [
      'token',
      'client',
      '--hub',
      'cli',
      '--user',
      'alice',
      '--claim',
      'role=reader',
      '--ttl',
      '60',
      '--json',
    ];
    const { code, stdout } = await CliProcess.run(args, app);
    expect(code).toBe(0);
    const client = await OfficialClient.connect(JSON.parse(stdout));
    await service.app('cli').send('alice', 'news', 'to alice');
    await client.heard('to alice');
    await client.stop();
    const claims = JSON.parse(Buffer.from(JSON.parse(stdout).accessToken.split('.')[1], 'base64url').toString());
    expect(claims).toMatchObject({ role: 'reader', exp: claims.iat + 60 });
  });

  test('rest: it opens the path that it names, and no other', async () => {
    const path = '/api/hubs/cli/:send';
    const { stdout } = await CliProcess.run(['token', 'rest', '--path', path], app);
    const headers = { authorization: `Bearer ${stdout.trim()}`, 'content-type': 'application/json' };
    const post = (to: string) =>
      fetch(service.node(0).origin + to, { method: 'POST', headers, body: '{"target":"t","arguments":[]}' });
    expect([(await post(path)).status, (await post('/api/hubs/other/:send')).status]).toEqual([202, 401]);
  });

  test('server: it opens the way for a link', async () => {
    const { stdout } = await CliProcess.run(['token', 'server', '--hub', 'cli', '--user', 'me', '--json'], app);
    const { url, accessToken } = JSON.parse(stdout);
    const headers = { authorization: `Bearer ${accessToken}` };
    const socket = new WebSocket(String(url).replace('http', 'ws'), { headers });
    await once(socket, 'open');
    socket.terminate();
    const refused = new WebSocket(String(url).replace('http', 'ws').replace('hub=cli', 'hub=other'), { headers });
    const [error] = (await once(refused, 'error')) as [Error];
    expect(error.message).toContain('401');
  });

  test.each([
    [['token', 'user', '--hub', 'h'], app, 2, 'the kind of token must be client, rest or server, got "user"'],
    [['token', 'client'], undefined, 2, '--hub must be given'],
    [['token', 'client', '--hub', '1x'], undefined, 2, 'hub'],
    [
      ['token', 'client', '--hub', 'h', '--ttl', '0'],
      undefined,
      2,
      '--ttl must be a whole number from 1 to 31536000, got "0"',
    ],
    [['token', 'client', '--hub', 'h', '--claim', 'x'], undefined, 2, '--claim must be name=value, got "x"'],
    [['token', 'client', '--hub', 'h', '--path', '/x'], undefined, 2, '--path says nothing'],
    [['token', 'rest', '--path', '/x'], undefined, 2, '--path must begin with /api/, got "/x"'],
    [
      ['token', 'client', '--hub', 'h'],
      { SIGNALBOX_CONNECTION_STRING: '' },
      2,
      'SIGNALBOX_CONNECTION_STRING must be set',
    ],
    [['token', 'client', '--hub', 'h'], { SIGNALBOX_CONNECTION_STRING: 'AccessKey=hush' }, 2, '"Endpoint" is missing'],
  ])('%j is refused', async (args, env: Env | undefined, code, text) => {
    const ended = await CliProcess.run(args, env ?? app);
    expect([ended.code, ended.stdout]).toEqual([code, '']);
    expect(ended.stderr).toContain(text);
    expect(ended.stderr).not.toMatch(/hush/);
  });
});

describe('signalbox send', () => {
  test('reaches all, a group, a user and a connection, on the other node; arguments that are JSON are read', async () => {
    const client = await service.client('sent', { at: 1, userId: 'alice' });
    await service.app('sent').groups.addToGroup(client.id, 'readers');
    const whom = [['--all'], ['--group', 'readers'], ['--user', 'alice'], ['--connection', client.id]];
    for (const [at, to] of whom.entries()) {
      const ended = await CliProcess.run(['send', '--hub', 'sent', ...to, 'news', String(at)], app);
      expect([ended.code, ended.stderr]).toEqual([0, '']);
      await client.heard(at);
    }
    await CliProcess.run(['send', '--hub', 'sent', '--all', 'news', 'plain words'], app);
    await client.heard('plain words');
    await client.stop();
  });

  test('what is wrong with it is 2, what the service refuses or cannot is 1', async () => {
    const [wrongKey, nobody] = [connectionString(service.node(0).origin, 'x'.repeat(32)), await freePort()];
    const send = ['send', '--hub', 'sent'];
    const runs = [
      [[...send, 'news'], app, 2, 'exactly one of'],
      [[...send, '--all', '--user', 'a', 'news'], app, 2, 'exactly one of'],
      [[...send, '--all'], app, 2, '1 more to say'],
      [[...send, '--all', 'news'], { SIGNALBOX_CONNECTION_STRING: wrongKey }, 1, '401'],
      [
        [...send, '--all', 'news'],
        { SIGNALBOX_CONNECTION_STRING: connectionString(`http://127.0.0.1:${nobody}`) },
        1,
        'ERR_',
      ],
    ] as const;
    for (const [args, env, code, text] of runs) {
      const ended = await CliProcess.run(args, env);
      expect([ended.stderr, ended.code]).toEqual([expect.stringContaining(text), code]);
      expect(ended.stderr).not.toMatch(/AccessKey|xxxx/);
    }
  });
});

describe('signalbox nodes', () => {
  test('shows every node, as a table and as JSON', async () => {
    let shown = await CliProcess.run(['nodes'], operator);
    const isOk = ({ node }: { readonly node: string }): boolean =>
      new RegExp(`^${node} .* ok `, 'm').test(shown.stdout);
    await until('both nodes are shown and well', async () => {
      shown = await CliProcess.run(['nodes'], operator);
      return service.nodes.every(isOk);
    });
    expect([shown.code, shown.stdout.split('\n').length]).toEqual([0, 4]);
    expect(shown.stdout).toMatch(/^NODE +LABEL +STATE +UP/);
    const json = await CliProcess.run(['nodes', '--json'], operator);
    expect(JSON.parse(json.stdout).nodes).toHaveLength(2);
  });

  test('without an answer or with a wrong token it ends with 1, without a token with 2', async () => {
    const runs = [
      [['nodes'], { ...operator, SIGNALBOX_ADMIN_TOKEN: 'x'.repeat(40) }, 1, 'answered 401'],
      [['nodes', '--admin', `http://127.0.0.1:${await freePort()}`], operator, 1, 'no answer from http://127.0.0.1'],
      [
        ['nodes', '--admin', 'somewhere'],
        operator,
        2,
        '--admin must be an http:// or https:// address, got "somewhere"',
      ],
      [['nodes'], {}, 2, 'SIGNALBOX_ADMIN_TOKEN must be set in the environment'],
    ] as const;
    for (const [args, env, code, text] of runs) {
      const ended = await CliProcess.run(args, env);
      expect([ended.stderr, ended.code]).toEqual([expect.stringContaining(text), code]);
      expect(ended.stderr).not.toContain('xxxx');
    }
  });
});

describe('signalbox tail', () => {
  test('tells what happens to a user of the other node, and ends at Ctrl-C with 0', async () => {
    const tail = new CliProcess(['tail', '--hub', 'tailed', '--user', 'alice'], operator);
    await tail.lines.one('following', (line) => line.includes('following user alice of hub tailed'));
    await until('the other node heard of it', async () => {
      await (await service.client('tailed', { at: 1, userId: 'alice' })).stop();
      return tail.lines.items.some((line) => line.includes('opened'));
    });
    const client = await service.client('tailed', { at: 1, userId: 'alice' });
    const { id } = client;
    await service.app('tailed').groups.addToGroup(id, 'readers');
    await service.app('tailed').send('alice', 'news', 'nobody else reads this');
    await client.heard('nobody else reads this');
    await client.stop();
    const own = () =>
      tail.lines.items.filter((line) => line.includes(`(${id.slice(0, 8)}…)`) && !line.includes('ping'));
    await tail.lines.until('her end', () => own().some((line) => line.includes('closed')));
    expect(own()[0]).toMatch(/opened +tailed {2}alice \(\S+…\) {2}WebSockets, json$/);
    expect(own()[1]).toMatch(/joined .* group readers$/);
    expect(own().at(-1)).toMatch(/closed .* client_left, after [\d.]+ s$/);
    const { code, stdout, stderr } = await tail.interrupt();
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).not.toContain('nobody else reads this');
  });

  test('with --json each line is one JSON object', async () => {
    const tail = new CliProcess(['tail', '--json'], operator);
    await tail.lines.until('a line', (lines) => lines.length > 0);
    expect(JSON.parse(tail.lines.items[0] ?? '')).toMatchObject({ event: 'following', hub: '', of: { kind: 'all' } });
    expect((await tail.interrupt()).code).toBe(0);
  });

  test.each([
    [['tail', '--user', 'a', '--group', 'b'], 2, 'only one of --user, --group may be given'],
    [['tail', '--payloads'], 1, 'SIGNALBOX_ADMIN_PAYLOAD_BYTES is 0'],
  ])('%j is refused', async (args, code, text) => {
    const ended = await CliProcess.run(args, operator);
    expect([ended.stderr, ended.code]).toEqual([expect.stringContaining(text), code]);
  });
});
