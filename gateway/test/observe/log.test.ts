import { expect, test } from 'vitest';
import { createLog, type LogOptions, pathOf } from '../../src/observe/log.ts';

function record(level: LogOptions['level'] = 'debug') {
  const lines: string[] = [];
  const log = createLog({ level, node: 'n1', label: 'here', to: { write: (line: string) => void lines.push(line) } });
  return { lines, log };
}

test('a fact is one JSON line with level, time, node, label, part and message', () => {
  const { lines, log } = record();
  log.child('rest').info('something happened', { hub: 'chat', count: 2, id: 18446744073709551615n, gone: undefined });
  expect(lines).toHaveLength(1);
  expect(lines[0]?.endsWith('\n')).toBe(true);
  expect(JSON.parse(lines[0] ?? '')).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    node: 'n1',
    label: 'here',
    part: 'rest',
    hub: 'chat',
    count: 2,
    id: '18446744073709551615',
    msg: 'something happened',
  });
});

test('nothing below the level is written, and silent writes nothing', () => {
  for (const [level, expected] of [
    ['warn', 2],
    ['silent', 0],
  ] as const) {
    const { lines, log } = record(level);
    log.debug('a');
    log.info('b');
    log.warn('c');
    log.error('d');
    expect(lines).toHaveLength(expected);
  }
});

test('an error is told with name, code, message and stack, and nothing that hangs on it', () => {
  const { lines, log } = record();
  log.error('failed', { error: Object.assign(new TypeError('why'), { code: 'E1', request: { secret: 'hush' } }) });
  expect(JSON.parse(lines[0] ?? '').error).toEqual({
    type: 'TypeError',
    code: 'E1',
    message: 'why',
    stack: expect.stringContaining('why'),
  });
});

const token = 'eyJhbGciOiJIUzI1NiJ9.eyJuYW1laWQiOiJ1In0.c2lnbmF0dXJl';

test.each([
  ['a token', `got ${token} here`, 'got (token) here'],
  ['a token in a query', `/client/?hub=chat&access_token=abc&x=1`, '/client/?hub=chat&access_token=(hidden)&x=1'],
  ['a connection token in a query', '/client/?hub=chat&id=abc', '/client/?hub=chat&id=(hidden)'],
  [
    'a connection string',
    'Endpoint=http://a;AccessKey=abc=;Version=1.0;',
    'Endpoint=http://a;AccessKey=(hidden);Version=1.0;',
  ],
  ['a header', 'Authorization: Bearer abc', 'Authorization: Bearer (hidden)'],
  ['the password of a URL', 'redis://user:pass@host:6379/0', 'redis://(hidden)@host:6379/0'],
])('%s in a text of somebody else is taken out', (_name, text, expected) => {
  const { lines, log } = record();
  log.warn('told', { text, error: new Error(text) });
  const line = JSON.parse(lines[0] ?? '');
  expect([line.text, line.error.message]).toEqual([expected, expected]);
  expect(line.error.stack).toContain(expected);
});

test.each([
  ['/client/?hub=chat&access_token=x', '/client/'],
  ['https://host:1/a/b?c#d', '/a/b'],
  ['/a#b', '/a'],
  ['/a%3Fb', '/a%3Fb'],
])('of the target %s only the path %s may be logged', (target, path) => {
  expect(pathOf(target)).toBe(path);
});
