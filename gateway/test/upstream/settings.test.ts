import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { parseUpstream, readUpstream } from '../../src/upstream/settings.ts';
import { expand, firstMatch, takesHub } from '../../src/upstream/url-template.ts';

const read = (value: unknown) =>
  parseUpstream('SIGNALBOX_UPSTREAM', typeof value === 'string' ? value : JSON.stringify(value));

describe('SIGNALBOX_UPSTREAM', () => {
  it('may be one URL for all', () => {
    const [template, ...more] = read('http://localhost:7071/runtime/webhooks/signalr?code=a%2Bb');
    expect(template).toEqual({
      origin: 'http://localhost:7071',
      path: '/runtime/webhooks/signalr?code=a%2Bb',
      hub: 'every',
      category: 'every',
      event: 'every',
    });
    expect(more).toEqual([]);
  });

  it.each([
    ['http://h', '/'],
    ['https://h:443/a', '/a'],
    ['http://h?x={event}', '/?x={event}'],
    ['http://[::1]:80/{hub}', '/{hub}'],
  ])('%s has the path %s', (url, path) => {
    expect(read(url)[0]?.path).toBe(path);
  });

  it('may be a list, in the words of this gateway, of the emulator and of Azure', () => {
    const url = 'http://h/{hub}/{category}/{event}';
    const words = [
      [{ url, hub: 'Chat, b', category: 'messages', event: 'Send' }],
      {
        UpstreamSettings: {
          Templates: [{ UrlTemplate: url, HubPattern: 'chat,b', CategoryPattern: 'messages', EventPattern: 'Send' }],
        },
      },
      {
        templates: [
          {
            urlTemplate: url,
            hubPattern: ' chat ,b',
            categoryPattern: 'messages',
            eventPattern: 'Send',
            auth: { type: 'None' },
          },
        ],
      },
    ];
    for (const one of words) expect(read(one)).toEqual(read(words[0]));
    expect(read(words[0])[0]).toMatchObject({ hub: new Set(['chat', 'b']), event: new Set(['Send']) });
  });

  const url = 'http://h/';
  it.each([
    ['nonsense', 'SIGNALBOX_UPSTREAM must be a URL template: '],
    ['ftp://h/', 'SIGNALBOX_UPSTREAM must be a URL template: '],
    ['http://user:secret@h/', 'SIGNALBOX_UPSTREAM must be a URL template: '],
    ['http://{event}.example/', 'SIGNALBOX_UPSTREAM must be a URL template: '],
    ['http://h:{event}/', 'SIGNALBOX_UPSTREAM must be a URL template: '],
    ['http://h/a b', 'SIGNALBOX_UPSTREAM must be a URL template: '],
    ['http://h/{Event}', 'SIGNALBOX_UPSTREAM must have no placeholders but {hub}, {category}, {event}, got {Event}'],
    ['http://h/{event', 'SIGNALBOX_UPSTREAM must have no placeholders but {hub}, {category}, {event}, got {event'],
    ['http://h/a#b', 'SIGNALBOX_UPSTREAM must have no fragment'],
    ['[{"url":', 'SIGNALBOX_UPSTREAM must be a URL template or valid JSON'],
    [{ Template: [] }, 'SIGNALBOX_UPSTREAM must be an array of templates, or an object with "Templates"'],
    [[{ url }, 7], 'SIGNALBOX_UPSTREAM[1] must be an object with "url"'],
    [[{ hub: 'chat' }], 'SIGNALBOX_UPSTREAM[0] must be a URL template: '],
    [[{ url, events: 'x' }], 'SIGNALBOX_UPSTREAM[0] must have only url, hub, category, event, got "events"'],
    [[{ url, hub: ['a'] }], 'SIGNALBOX_UPSTREAM[0].hub must be a string: * or names between commas'],
    [
      [{ url, category: 'message' }],
      'SIGNALBOX_UPSTREAM[0].category must be *, connections or messages, got "message"',
    ],
    [[{ url, auth: { type: 'ManagedIdentity' } }], 'SIGNALBOX_UPSTREAM[0].auth must be none'],
  ])('%j is refused by one line that names the place and the rule', (value, line) => {
    let error: unknown;
    try {
      read(value);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ConfigError);
    const { message } = error as Error;
    expect(message.startsWith(line), message).toBe(true);
    expect(message).not.toMatch(/secret|\n/);
  });
});

describe('SIGNALBOX_UPSTREAM_FILE', () => {
  it('holds the same', () => {
    const folder = mkdtempSync(join(tmpdir(), 'upstream-'));
    const upstreamFile = join(folder, 'settings.json');
    writeFileSync(upstreamFile, '{"UpstreamSettings":{"Templates":[{"UrlTemplate":"http://h/"}]}}');
    expect(readUpstream({ upstream: undefined, upstreamFile })).toEqual(read('http://h/'));
    rmSync(folder, { recursive: true });
    const line = `SIGNALBOX_UPSTREAM_FILE must name a file that can be read, got ${upstreamFile} (ENOENT)`;
    expect(() => readUpstream({ upstream: undefined, upstreamFile })).toThrow(new ConfigError(line));
  });

  it('goes not together with SIGNALBOX_UPSTREAM; without both there are no webhooks', () => {
    expect(() => readUpstream({ upstream: 'http://h', upstreamFile: 'f' })).toThrow('must not both be set');
    expect(readUpstream({ upstream: undefined, upstreamFile: undefined })).toEqual([]);
  });
});

describe('a template', () => {
  const topic = { hub: 'a', category: 'messages', event: 'send' } as const;
  const templates = read([
    { url: 'http://first/', hub: 'A', event: 'send, Stop' },
    { url: 'http://second/', event: null },
    { url: 'http://third/', hub: 'a, *', category: 'messages' },
    { url: 'http://fourth/', event: 'connected, disconnected' },
  ]);

  it.each([
    [{}, 'http://first'],
    [{ event: 'Stop' }, 'http://first'],
    [{ event: 'SEND' }, 'http://third'],
    [{ hub: 'b' }, 'http://third'],
    [{ hub: 'b', category: 'connections', event: 'connected' }, 'http://fourth'],
    [{ hub: 'b', category: 'connections', event: 'other' }, undefined],
  ] as const)('with %j is %s: the first that matches', (change, expected) => {
    expect(firstMatch(templates, { ...topic, ...change })?.origin).toBe(expected);
  });

  it('names the hubs that have an upstream', () => {
    const named = read([{ url: 'http://h/', hub: 'a, B' }]);
    expect(['a', 'b', 'c'].map((hub) => takesHub(named, hub))).toEqual([true, true, false]);
  });

  it('is filled with escaped values', () => {
    const [template] = read('https://h/{hub}/api/{category}/{event}?code=x&e={event}');
    const path = (event: string) => template && expand(template, { ...topic, event });
    expect(path('a/b c')).toBe('/a/api/messages/a%2Fb%20c?code=x&e=a%2Fb%20c');
    expect(path('{hub}')).toBe('/a/api/messages/%7Bhub%7D?code=x&e=%7Bhub%7D');
    expect(['.', '..', '\ud83d'].map(path)).toEqual([undefined, undefined, undefined]);
  });
});
