import type { HubContext } from '@signalbox/app-sdk';
import { recordingHub } from '@signalbox/app-sdk/testing';
import { describe, expect, test } from 'vitest';
import type { Chat } from './support/chat.ts';

/** Code that sends, as an app has it. */
async function remind(hub: HubContext<Chat>, due: { user: string; text: string }[]): Promise<number> {
  await hub.send('alice', 'say', 'system', 'good morning');
  await hub.send({ group: 'night-shift' }, { target: 'cleared' });
  await hub.clients.groupExcept('lobby', 'conn1').say('system', 'hello');
  const items = due.map(({ user, text }) => ({
    to: user,
    target: 'say' as const,
    arguments: ['system', text] as const,
  }));
  return (await hub.sendBatch(items)).sent;
}

describe('a recording hub', () => {
  test('writes down what was sent, in order, in one form', async () => {
    const hub = recordingHub<Chat>();
    expect(await remind(hub, [{ user: 'bob', text: 'report' }])).toBe(1);
    expect(hub.sent).toEqual([
      { to: { user: 'alice' }, target: 'say', arguments: ['system', 'good morning'] },
      { to: { group: 'night-shift' }, target: 'cleared', arguments: [] },
      { to: { group: 'lobby', except: ['conn1'] }, target: 'say', arguments: ['system', 'hello'] },
      { to: { user: 'bob' }, target: 'say', arguments: ['system', 'report'] },
    ]);
  });

  test('refuses what the others refuse', async () => {
    const hub = recordingHub<Chat>();
    await expect(hub.send({} as 'u', 'cleared')).rejects.toThrow(TypeError);
    expect(() => hub.clients.group('')).toThrow(TypeError);
    await expect(hub.groups.addToGroup('c', '')).rejects.toThrow(TypeError);
    await expect(hub.connections.close({} as { all: true })).rejects.toThrow(TypeError);
    const { sent, failed } = await hub.sendBatch([{ to: '', target: 'cleared' }]);
    expect([sent, failed.map(({ index, error }) => [index, error.code])]).toEqual([0, [[0, 'ERR_INVALID_REQUEST']]]);
    expect(hub.sent).toEqual([]);
  });

  test('has nobody connected', async () => {
    const hub = recordingHub<Chat>('Chat');
    expect(hub.name).toBe('chat');
    expect(await hub.connections.exists({ user: 'u' })).toBe(false);
    expect(await hub.connections.count({ all: true })).toBe(0);
    expect(await hub.userGroups.isInGroup('u', 'g')).toBe(false);
    for await (const member of hub.connections.list({ group: 'g' }))
      throw new Error(`unexpected ${member.connectionId}`);
    await expect(hub.clients.client('c').invoke('ask', 'q')).rejects.toMatchObject({
      code: 'ERR_CLIENT_GONE',
      connectionId: 'c',
    });
  });

  test('answers group changes, closes and negotiates', async () => {
    const hub = recordingHub<Chat>();
    await hub.groups.addToGroup('c', 'g');
    await hub.groups.removeFromGroup('c', 'g');
    await hub.groups.removeFromAllGroups('c');
    await hub.userGroups.addToGroup('u', 'g', { ttlSeconds: 1 });
    await hub.userGroups.removeFromAllGroups('u');
    await hub.connections.close({ all: true });
    expect(await hub.negotiate()).toMatchObject({ negotiateVersion: 0, url: 'http://localhost/client/?hub=hub' });
  });
});
