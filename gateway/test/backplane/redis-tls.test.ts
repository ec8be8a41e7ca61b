import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRedisBackplane, type RedisBackplane } from '../../src/backplane/redis.ts';
import type { RedisTls } from '../../src/backplane/redis-connections.ts';
import { parseRedisUrl } from '../../src/backplane/redis-url.ts';
import { findProgram, freePort, launch } from '../support/redis.ts';
import { Listener, RedisReport } from './listener.ts';

let folder: string;
let port: number;
let child: ChildProcess;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signalbox-tls-'));
  port = await freePort();
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', cert];
  execFileSync('openssl', [...request, ...subject], { stdio: 'ignore' });
  const tls = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert, '--tls-auth-clients', 'no'];
  child = await launch(findProgram(), ['--port', '0', '--tls-port', String(port), '--save', '', ...tls]);
});

afterAll(async () => {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
  await rm(folder, { recursive: true });
});

function make(tls: RedisTls, events = new RedisReport()): RedisBackplane {
  const target = parseRedisUrl(`rediss://localhost:${port}`);
  return createRedisBackplane({ target, prefix: 'test@0', node: 'here', events, tls });
}

describe('rediss://', () => {
  it('refuses a certificate that nobody it trusts has signed', async () => {
    const report = new RedisReport();
    const here = make({}, report);
    const refused = expect(here.start(new Listener())).rejects.toMatchObject({
      code: 'backplane_down',
      message: expect.stringContaining('self-signed certificate'),
    });
    await report.warned('self-signed certificate');
    await here.close();
    await refused;
  });

  it.each([
    ['takes it with its authority in a file', () => ({ caFile: join(folder, 'cert.pem') })],
    ['takes it when verification is switched off', () => ({ verify: false })],
  ])('%s', async (_title, tls) => {
    const here = make(tls());
    await here.start(new Listener());
    expect(await here.publish('test@0:h:chat:all', Buffer.from('x'))).toBe(0);
    await here.close();
  });
});
