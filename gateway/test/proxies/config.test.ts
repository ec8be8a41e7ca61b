import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { findHaproxy, haproxyEnv } from '../support/haproxy.ts';
import { findNginx, nginxArgs, nginxDirectory } from '../support/nginx.ts';
import { proxies, proxyNames } from '../support/proxies.ts';
import { deployedPath, type ProxyProcess, proxyDirectory } from '../support/proxy-process.ts';
import { type Service, startService } from '../support/service.ts';
import { clientToken } from '../support/tokens.ts';
import { until } from '../support/until.ts';

const nodes = [1, 2, 3].map((port) => ({ port, adminPort: port }));

test('nginx takes the files of deploy/nginx', () => {
  const directory = nginxDirectory(8099, nodes);
  const said = execFileSync(findNginx(), ['-t', ...nginxArgs(directory)], { encoding: 'utf8', stdio: 'pipe' });
  expect(said).toBe('');
  rmSync(directory, { recursive: true });
});

test('HAProxy takes deploy/haproxy/haproxy.cfg, with and without the addresses of an environment', () => {
  const directory = proxyDirectory();
  for (const env of [{ PROXY_SOCKET: `${directory}/admin.sock` }, haproxyEnv(8099, nodes, directory)]) {
    const args = ['-c', '-f', deployedPath('haproxy/haproxy.cfg')];
    expect(execFileSync(findHaproxy(), args, { env, encoding: 'utf8' })).toContain('Configuration file is valid');
  }
  rmSync(directory, { recursive: true });
});

describe.each(proxyNames)('%s', (name) => {
  const hub = 'config';
  let service: Service;
  let proxy: ProxyProcess;

  beforeAll(async () => {
    service = await startService({ nodes: 3 });
    proxy = await proxies[name](service.nodes);
  });
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]();
    await service?.[Symbol.asyncDispose]();
  });

  async function statusOf(path: string, headers: Record<string, string> = {}, method: 'GET' | 'POST' = 'GET') {
    const { statusCode, body } = await request(proxy.origin + path, { method, headers });
    await body.dump();
    return statusCode;
  }
  const logged = (path: string) => proxy.requests.filter((one) => one.path === path);

  test('passes on what clients and apps ask for, and nothing else', async () => {
    expect(await statusOf(`/client/negotiate?hub=${hub}`, {}, 'POST')).toBe(401);
    expect(await statusOf(`/client?hub=${hub}`)).toBe(400);
    expect(await statusOf('/api/v1/health')).toBe(200);
    expect(await statusOf('/server/?hub=config')).toBe(404);
    for (const path of ['/', '/metrics', '/readyz', '/clients', '/apis']) expect(await statusOf(path)).toBe(404);
  });

  test('passes on a request head of nearly 16 KB, with a token in the query and one in a header', async () => {
    const token = await clientToken(hub, 'ann', { filler: 'x'.repeat(3000) });
    const headers = { authorization: `Bearer ${token}`, cookie: 'c'.repeat(6000) };
    expect(await statusOf(`/client/?hub=${hub}&id=x&access_token=${token}`, headers)).toBe(404);
  });

  test('goes round: each of three nodes gets its part of the requests', async () => {
    const path = '/api/round';
    for (let n = 0; n < 9; n++) expect(await statusOf(path)).toBe(404);
    await until('all are logged', () => logged(path).length === 9);
    const asked = logged(path).map(({ node }) => node);
    expect([...new Set(asked)].map((node) => asked.filter((one) => one === node).length)).toEqual([3, 3, 3]);
  });

  test('goes on with two nodes when one dies, without a failed request, and writes no token to a log', async () => {
    const token = await clientToken(hub);
    await service.node(0).kill();
    for (let n = 0; n < 12; n++) {
      const negotiated = await statusOf(
        `/client/negotiate?hub=${hub}&access_token=${token}`,
        {
          authorization: `Bearer ${token}`,
        },
        'POST',
      );
      expect(negotiated).toBe(200);
    }
    const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/client/?hub=${hub}&access_token=${token}`);
    await new Promise((opened) => socket.once('open', opened));
    const closed = new Promise((over) => socket.once('close', over));
    for (const node of service.nodes) await node.kill();
    await closed;
    expect(await statusOf(`/client/?hub=${hub}&id=x&access_token=${token}`)).toBeGreaterThanOrEqual(502);
    await until('the requests are logged', () => logged('/client/').length >= 3);
    expect(proxy.output).not.toContain(token.slice(0, 40));
  });
});
