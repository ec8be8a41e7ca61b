import { describe, expect, it } from 'vitest';
import { fullPrefix, parseRedisUrl } from '../../src/backplane/redis-url.ts';

const single = { kind: 'single', tls: false, db: 0, master: '', hosts: [{ host: 'r', port: 6379 }] };
const hosts = [
  { host: 'a', port: 1 },
  { host: 'b', port: 2 },
];

describe('REDIS_URL', () => {
  it.each([
    ['redis://r', single],
    ['redis://r/', single],
    ['redis://r:7000/3', { ...single, db: 3, hosts: [{ host: 'r', port: 7000 }] }],
    ['rediss://r', { ...single, tls: true }],
    ['redis://[::1]:7000', { ...single, hosts: [{ host: '::1', port: 7000 }] }],
    ['redis://:p%40ss@r', { ...single, password: 'p@ss' }],
    ['redis://user:p:w@r', { ...single, username: 'user', password: 'p:w' }],
    ['redis+sentinel://a:1,b:2/main', { ...single, kind: 'sentinel', hosts, master: 'main' }],
    [
      'rediss+sentinel://:pw@a:1,b:2/main/4',
      { kind: 'sentinel', tls: true, hosts, master: 'main', db: 4, password: 'pw' },
    ],
    ['redis+sentinel://s/main', { ...single, kind: 'sentinel', hosts: [{ host: 's', port: 26379 }], master: 'main' }],
    ['redis+cluster://a:1,b:2', { ...single, kind: 'cluster', hosts }],
    [
      'rediss+cluster://u:pw@a:1,b:2/0',
      { ...single, kind: 'cluster', tls: true, hosts, username: 'u', password: 'pw' },
    ],
  ])('reads %s', (url, target) => {
    expect(parseRedisUrl(url)).toEqual(target);
  });

  it.each([
    ['http://r', 'must be redis[s]://'],
    ['', 'must be redis[s]://'],
    ['redis://', 'must be redis[s]://'],
    ['redis+tls://r', 'must be redis[s]://'],
    ['redis://a,b', 'must name one host; several need +sentinel or +cluster'],
    ['redis://:secret@r:99999', 'must name each host as host or host:port, got "r:99999"'],
    ['redis+cluster://:secret@a:1,,b', 'must name each host as host or host:port, got ""'],
    ['redis://:secret@r/db', 'must end with a database number, got "/db"'],
    ['redis://:secret@r/1/2', 'must end with a database number, got "/1/2"'],
    ['redis+sentinel://:secret@a', 'with +sentinel must name the master: .../master[/db]'],
    ['redis+cluster://:secret@a/1', 'with +cluster has no databases, got "/1"'],
    ['redis://:secret%@r', 'must be percent-encoded correctly in its login and path'],
  ])('refuses %s, naming the rule and never the password', (url, rule) => {
    const read = (): unknown => parseRedisUrl(url);
    expect(read).toThrow(TypeError);
    expect(read).toThrow(`"REDIS_URL" ${rule}`);
    expect(read).not.toThrow('secret');
  });

  it('gives the database number to the prefix, because pub/sub ignores it', () => {
    expect(fullPrefix('sb', parseRedisUrl('redis://r/3'))).toBe('sb@3');
    expect(fullPrefix('sb')).toBe('sb@0');
  });
});
