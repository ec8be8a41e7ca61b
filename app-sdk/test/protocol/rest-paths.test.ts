import { describe, expect, test } from 'vitest';
import { type RestOperation, restAudiencePath, restOperations, restPath } from '../../src/protocol/rest-paths.ts';

const parts = { user: 'u', group: 'g', connection: 'c' };

describe('the table of REST operations', () => {
  test.each<[RestOperation, string, string, number, string | undefined]>([
    ['sendToAll', 'POST', 'api/hubs/chat/:send', 202, undefined],
    ['sendToUser', 'POST', 'api/hubs/chat/users/u/:send', 202, undefined],
    ['sendToGroup', 'POST', 'api/hubs/chat/groups/g/:send', 202, undefined],
    ['sendToConnection', 'POST', 'api/hubs/chat/connections/c/:send', 202, undefined],
    ['connectionExists', 'HEAD', 'api/hubs/chat/connections/c', 200, 'Warning.Connection.NotExisted'],
    ['userExists', 'HEAD', 'api/hubs/chat/users/u', 200, 'Warning.User.NotExisted'],
    ['groupExists', 'HEAD', 'api/hubs/chat/groups/g', 200, 'Warning.Group.NotExisted'],
    ['closeConnection', 'DELETE', 'api/hubs/chat/connections/c', 200, 'Warning.Connection.NotExisted'],
    ['closeAll', 'POST', 'api/hubs/chat/:closeConnections', 204, undefined],
    ['closeGroup', 'POST', 'api/hubs/chat/groups/g/:closeConnections', 204, undefined],
    ['closeUser', 'POST', 'api/hubs/chat/users/u/:closeConnections', 204, undefined],
    ['addConnectionToGroup', 'PUT', 'api/hubs/chat/groups/g/connections/c', 200, 'Error.Connection.NotExisted'],
    ['removeConnectionFromGroup', 'DELETE', 'api/hubs/chat/groups/g/connections/c', 200, undefined],
    ['removeConnectionFromAllGroups', 'DELETE', 'api/hubs/chat/connections/c/groups', 200, undefined],
    ['addUserToGroup', 'PUT', 'api/hubs/chat/users/u/groups/g', 200, undefined],
    ['removeUserFromGroup', 'DELETE', 'api/hubs/chat/users/u/groups/g', 204, undefined],
    ['removeUserFromAllGroups', 'DELETE', 'api/hubs/chat/users/u/groups', 204, undefined],
    ['isUserInGroup', 'GET', 'api/hubs/chat/users/u/groups/g', 200, 'Info.User.NotInGroup'],
    ['health', 'HEAD', 'api/health', 200, undefined],
  ])('says of %s: %s %s', (operation, method, path, success, absentCode) => {
    const row = restOperations[operation];
    expect(row).toMatchObject({ method, ...(absentCode && { absentCode }) });
    expect('absentCode' in row).toBe(absentCode !== undefined);
    expect(row.success[0]).toBe(success);
    expect(restAudiencePath('Chat', operation, parts)).toBe(path);
    expect(restPath('Chat', operation, parts)).toBe(`${path}?api-version=2022-06-01`);
  });

  test('has no other operations', () => expect(Object.keys(restOperations)).toHaveLength(19));
});

describe('a REST path', () => {
  test('escapes each name as one segment', () => {
    expect(restAudiencePath('a`b', 'sendToGroup', { group: 'a/b c+ü%:?#' })).toBe(
      'api/hubs/a%60b/groups/a%2Fb%20c%2B%C3%BC%25%3A%3F%23/:send',
    );
    expect(restAudiencePath('h', 'userExists', { user: '..' })).toBe('api/hubs/h/users/%2E%2E');
  });

  test('repeats excluded and keeps a ttl of 0', () => {
    const query = { application: 'App', excluded: ['a b', 'c&d'], reason: 'é', ttl: 0 };
    expect(restPath('h', 'closeAll', {}, query)).toBe(
      'api/hubs/h/:closeConnections?application=app&excluded=a%20b&excluded=c%26d&reason=%C3%A9&ttl=0&api-version=2022-06-01',
    );
  });

  test('is refused without a name that it needs', () => {
    const refuse = (group?: string) => () => restPath('h', 'sendToGroup', group === undefined ? {} : { group });
    expect(refuse()).toThrow(new TypeError('"group" must be a string that is not empty'));
    expect(refuse('')).toThrow(new TypeError('"group" must be a string that is not empty'));
    expect(refuse('\ud800')).toThrow(new TypeError('"group" must not have half a surrogate pair'));
    expect(() => restPath('', 'sendToAll')).toThrow(new TypeError('"hub" must be a string that is not empty'));
  });
});
