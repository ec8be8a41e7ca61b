import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { version } from '../../src/version.ts';
import { startUpstream } from './start-upstream.ts';
import { WebhookServer } from './webhook-server.ts';

test('the webhook of protocol.md is what the gateway posts', async () => {
  const page = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
  const [head = '', body] = /```http\n(.+?)\n```/s.exec(page)?.[1]?.split('\n\n') ?? [];
  const [first, ...headers] = head.split('\n');
  await using server = await WebhookServer.start();
  await using node = await startUpstream(`${server.url}/upstream/{hub}/{category}/{event}`);
  const claims = ['asrs.s.uid: ann', 'role: admin'].map((pair) => {
    const [name = '', text = ''] = pair.split(': ');
    return { name, text };
  });
  const rest = { headers: [], remoteAddress: '::1', server: undefined, sticky: undefined, diagnostic: false };
  const origin = { ...rest, claims, query: 'hub=chat' };
  const client = await node.connect({ userId: 'ann', connectionId: 'conn1', origin });
  client.say(`${body}\u001e`);
  const { method, path, raw, body: posted } = await server.post(1);
  expect([`${method} ${path} HTTP/1.1`, posted.toString()]).toEqual([first, body]);
  const lines = raw.flatMap((name, at) => (at % 2 === 0 ? [`${name.toLowerCase()}: ${raw[at + 1]}`] : []));
  const own = lines.filter((line) => /^(x-|content-type)/.test(line));
  expect(own.join('\n')).toBe(headers.join('\n').replace('x-signalbox: 0.1.0', `x-signalbox: ${version}`));
});
