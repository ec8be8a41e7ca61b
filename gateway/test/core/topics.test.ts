import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectionIdChars, Topics } from '../../src/core/topics.ts';

const topics = new Topics('sb@0', 'secret one', false);
const stranger = new Topics('sb@0', 'secret two', false);

describe('topics', () => {
  it('have the names of the architecture', () => {
    expect(topics.all('chat')).toBe('sb@0:h:chat:all');
    expect(topics.group('chat', 'blue')).toBe('sb@0:h:chat:g:blue');
    expect(topics.personal('chat', 'AbC-_0123456')).toBe('sb@0:h:chat:p:AbC-_0123456');
    expect(topics.node('n1')).toBe('sb@0:n:n1');
    expect(topics.settled).toBe('sb@0:n:settled');
  });

  it('carry one hash tag per hub, and one for control, on a cluster', () => {
    const tagged = new Topics('sb@0', 'secret', true);
    expect(tagged.all('chat')).toBe('{sb@0:h:chat}:all');
    expect(tagged.group('chat', 'a}b')).toBe('{sb@0:h:chat}:g:a%7Db');
    expect(tagged.personal('chat', 'x')).toBe('{sb@0:h:chat}:p:x');
    expect(tagged.node('n1')).toBe('{sb@0}:n:n1');
  });

  it('treat names as data: no two groups share a topic, and none is the topic of something else', () => {
    const name = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: fc.constantFrom(':', '%', '~', 'g', '{', '}', 'all') }),
    );
    fc.assert(
      fc.property(name, name, (one, other) => {
        const topic = topics.group('chat', one);
        expect(topic).toMatch(/^sb@0:h:chat:g:[A-Za-z0-9_.%~-]*$/);
        expect(topic === topics.group('chat', other)).toBe(one === other);
      }),
    );
    const forgeries = ['x:all', ':all', 'blue:g:red', '%3A', '*', '\n', 'a\u0000b', '~abc', '{sb@0}', ' '];
    const made = forgeries.map((group) => topics.group('chat', group));
    expect(new Set(made).size).toBe(forgeries.length);
    for (const topic of made) expect(topic.slice('sb@0:h:chat:g:'.length)).not.toMatch(/[:{}*\s]/);
  });

  it('hold names of more than 64 bytes as their hash', () => {
    expect(topics.group('chat', 'x'.repeat(64))).toBe(`sb@0:h:chat:g:${'x'.repeat(64)}`);
    expect(topics.group('chat', 'x'.repeat(65))).toMatch(/^sb@0:h:chat:g:~[A-Za-z0-9_-]{43}$/);
    expect(topics.group('chat', 'é'.repeat(33))).toMatch(/:~[A-Za-z0-9_-]{43}$/);
    expect(topics.all('h'.repeat(128))).toMatch(/^sb@0:h:~[A-Za-z0-9_-]{43}:all$/);
    expect(topics.group('chat', 'x'.repeat(65))).not.toBe(topics.group('chat', 'x'.repeat(66)));
  });
});

describe('a connection id', () => {
  it('has 34 characters that are safe in URLs', () => {
    for (const user of [undefined, 'ann', 'ü'.repeat(500)]) {
      const id = topics.mint('chat', user);
      expect(id).toHaveLength(34);
      expect(connectionIdChars).toBe(34);
      expect(id).toMatch(/^[A-Za-z0-9_-]{34}$/);
    }
  });

  it('carries the tag of its user, so that one topic serves a user and each of the connections', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (hub, user) => {
        const tag = topics.tagOfConnection(topics.mint(hub, user));
        expect(tag).toMatch(/^[A-Za-z0-9_-]{12}$/);
        expect(tag).toBe(topics.tagOfUser(hub, user));
      }),
    );
  });

  it('has another tag in another hub, for another user, and without a user', () => {
    const tags = [
      topics.tagOfUser('chat', 'ann'),
      topics.tagOfUser('other', 'ann'),
      topics.tagOfUser('chat', 'bob'),
      topics.tagOfConnection(topics.mint('chat', undefined)),
      topics.tagOfConnection(topics.mint('chat', undefined)),
    ];
    expect(new Set(tags).size).toBe(tags.length);
  });

  it('shows nobody without the secret that two ids belong to one user', () => {
    const ids = Array.from({ length: 500 }, () => topics.mint('chat', 'ann'));
    expect(new Set(ids.map((id) => id.slice(0, 22))).size).toBe(500);
    expect(new Set(ids.map((id) => id.slice(22))).size).toBe(500);
    expect(new Set(ids.map((id) => topics.tagOfConnection(id))).size).toBe(1);
    expect(new Set(ids.map((id) => stranger.tagOfConnection(id))).size).toBe(500);
    // No position of the masked part keeps its character: what one user's ids have in common is chance.
    for (let place = 22; place < 34; place++) {
      expect(new Set(ids.map((id) => id[place])).size).toBeGreaterThan(40);
    }
  });

  it('has no tag when it has not the form of one', () => {
    for (const id of [
      '',
      'short',
      'x'.repeat(33),
      'x'.repeat(35),
      `${'x'.repeat(33)}:`,
      `${'x'.repeat(33)}é`,
      `\n${'x'.repeat(33)}`,
    ]) {
      expect(topics.tagOfConnection(id), id).toBeUndefined();
    }
  });
});
