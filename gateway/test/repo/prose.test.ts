import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settings } from '../../src/config.ts';
import { errors } from '../../src/errors.ts';
import { metrics } from '../../src/observe/metrics.ts';
import { decodeCommand } from '../../src/protocol/command-codec.ts';
import { decodeEnvelope, encodeEnvelope } from '../../src/protocol/envelope.ts';
import { closeReasons, dropReasons } from '../../src/reasons.ts';

/** Pages that are written by hand, from the root of the repository. */
const written = [
  'README.md',
  'deploy/README.md',
  'gateway/docs/architecture.md',
  'gateway/docs/operations.md',
  'gateway/docs/runbook.md',
  'gateway/docs/operators-page.md',
];

const root = new URL('../../../', import.meta.url);
const pages = written.map((name) => [name, readFileSync(new URL(name, root), 'utf8')] as const);
const known = new Set<string>([
  ...Object.values(settings).map(({ env }) => env),
  ...Object.keys(metrics),
  'SIGNALBOX_CONNECTION_STRING',
]);

test.each(pages)('%s names only settings and metrics that there are', (_name, text) => {
  const mentioned = text.match(/\bSIGNALBOX_[A-Z_]*[A-Z]\b|\bsignalbox_[a-z_]*[a-z]\b/g) ?? [];
  expect(mentioned.length).toBeGreaterThan(0);
  expect(mentioned.filter((name) => !known.has(name))).toEqual([]);
});

test.each(pages)('the links of %s lead somewhere', (name, text) => {
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] ?? '');
  expect(links.length).toBeGreaterThan(0);
  expect(links.filter((path) => !existsSync(new URL(path, new URL(name, root))))).toEqual([]);
});

test('architecture.md names only files of the source that there are', () => {
  const text = pages.find(([name]) => name.endsWith('architecture.md'))?.[1] ?? '';
  const files = [...text.matchAll(/`((?:core|backplane|protocol|test)\/[\w./-]+\.ts)`/g)].map(
    (match) => match[1] ?? '',
  );
  expect(files.length).toBeGreaterThan(10);
  const places = (file: string): URL[] => ['gateway/src/', 'gateway/'].map((folder) => new URL(folder + file, root));
  expect(files.filter((file) => !places(file).some((place) => existsSync(place)))).toEqual([]);
});

test('operations.md names only reasons that there are', () => {
  const text = pages.find(([name]) => name.endsWith('operations.md'))?.[1] ?? '';
  const reasons = [...text.matchAll(/(?:closed|503), `(\w+)`/g)].map((match) => match[1] ?? '');
  expect(reasons.length).toBeGreaterThan(2);
  expect(
    reasons.filter((reason) => !(reason in closeReasons) && !(reason in dropReasons) && !(reason in errors)),
  ).toEqual([]);
});

/** Bytes of a block of hex; what stands behind two spaces is a remark. */
function hexBlock(text: string): Uint8Array {
  const block = /```hex\n(.+?)```/s.exec(text)?.[1] ?? '';
  const digits = block.split('\n').map((line) => line.split('  ')[0]?.replaceAll(' ', '') ?? '');
  return Buffer.from(digits.join(''), 'hex');
}

test('the envelope of protocol.md is what nodes write and read', () => {
  const bytes = hexBlock(readFileSync(new URL('gateway/docs/protocol.md', root), 'utf8'));
  const envelope = decodeEnvelope(bytes);
  expect(envelope).toMatchObject({ node: 'n0deAAAAAAAA', lane: 'chat', sequence: 7, previous: 5, echo: true });
  expect(envelope && Buffer.from(encodeEnvelope(envelope))).toEqual(bytes);
  expect(decodeCommand(envelope?.commands[0] ?? bytes)).toEqual({
    kind: 'send',
    hub: 'chat',
    to: { kind: 'group', group: 'lobby' },
    exceptConnections: [],
    exceptUsers: ['bob'],
    payload: { kind: 'convert', json: new TextEncoder().encode('{"type":1,"target":"hi","arguments":[]}\u001e') },
  });
});

test('every file that protocol.md names exists', () => {
  const text = readFileSync(new URL('gateway/docs/protocol.md', root), 'utf8');
  const files = [...text.matchAll(/`((?:gateway|app-sdk)\/[\w./-]+\.ts)`/g)].map((match) => match[1] ?? '');
  expect(files.length).toBeGreaterThan(5);
  expect(files.filter((file) => !existsSync(new URL(file, root)))).toEqual([]);
});
