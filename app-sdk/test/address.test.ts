import { describe, expect, test } from 'vitest';
import { checkAddress, checkPlace } from '../src/address.ts';

describe('an address', () => {
  test.each([
    [{ all: true }, 'all', [{ place: 'all', id: '', except: [] }]],
    ['alice', 'user', [{ place: 'user', id: 'alice', except: [] }]],
    [{ user: 'alice' }, 'user', [{ place: 'user', id: 'alice', except: [] }]],
    [{ connection: 'c' }, 'connection', [{ place: 'connection', id: 'c', except: [] }]],
    [{ group: 'g', except: 'c' }, 'group', [{ place: 'group', id: 'g', except: ['c'] }]],
    [{ all: true, except: ['c', 'd'] }, 'all', [{ place: 'all', id: '', except: ['c', 'd'] }]],
    [{ group: 'g', user: undefined }, 'group', [{ place: 'group', id: 'g', except: [] }]],
    [{ users: [] }, 'users', []],
  ])('%j stands for its spots', (address, to, spots) => {
    expect(checkAddress(address)).toMatchObject({ to, spots });
  });

  test('with a list has a spot for each id, and one for an id that is named twice', () => {
    expect(checkAddress({ groups: ['a', 'b', 'a'] }).spots.map((spot) => [spot.place, spot.id])).toEqual([
      ['group', 'a'],
      ['group', 'b'],
    ]);
  });

  test.each([
    [undefined, 'an address must be a user id or an object, got undefined'],
    [null, 'an address must be a user id or an object, got null'],
    ['', '"user" must be a string that is not empty, got ""'],
    [{}, 'an address must name one of all, group, groups, user, users, connection, connections, got none'],
    [{ except: 'c' }, 'got none'],
    [{ user: 'a', group: 'b' }, 'an address must name exactly one place, got "user" and "group"'],
    [{ grup: 'g' }, 'it has no "grup"'],
    [{ all: 1 }, '"all" must be true, got 1'],
    [{ user: 'a', except: 'c' }, '"except" goes with "all" and "group", not with "user"'],
    [{ all: true, except: [''] }, '"except[0]" must be a string that is not empty, got ""'],
    [{ group: 'g'.repeat(2048) }, '"group" must be 1 to 1024 characters, got 2048'],
    [{ group: '' }, '"group" must be 1 to 1024 characters, got 0'],
    [{ group: ' \t' }, '"group" must not be only white space'],
    [{ group: 7 }, '"group" must be a string, got 7'],
    [{ groups: 'g' }, '"groups" must be an array of strings, got "g"'],
    [{ users: ['a', null] }, '"users[1]" must be a string that is not empty, got null'],
    [{ connection: {} }, '"connection" must be a string that is not empty, got a value of type object'],
  ])('%j is a TypeError: %s', (address, sentence) => {
    expect(() => checkAddress(address)).toThrow(TypeError);
    expect(() => checkAddress(address)).toThrow(sentence);
  });
});

describe('a place', () => {
  test('is one of those allowed', () => {
    expect(checkPlace({ user: 'a' }, ['user', 'group'])).toMatchObject({ place: 'user', id: 'a' });
    expect(() => checkPlace({ all: true }, ['user', 'group'])).toThrow('it has no "all"');
  });

  test('excepts nobody', () => {
    expect(() => checkPlace({ group: 'g', except: 'c' }, ['group'])).toThrow(
      '"except" goes with sends and closes only',
    );
  });

  test('is no plain string', () => {
    expect(() => checkPlace('alice', ['user'])).toThrow('a place must be an object');
  });
});
