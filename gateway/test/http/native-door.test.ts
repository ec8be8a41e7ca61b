import { expect, test } from 'vitest';
import type { NativeSocket } from '../../src/http-native.ts';
import { type Held, nativeDoor, type SocketDoor } from '../../src/http-websocket.ts';

test('a socket that is closed inside its own upgrade is never shown to the door, the next one is', () => {
  const told: string[] = [];
  const door: SocketDoor<{ name: string }> = {
    maxPayloadBytes: 1,
    maxBufferedBytes: 1,
    admit: () => Promise.reject(new Error('not asked here')),
    opened: (_, { name }) => told.push(`opened ${name}`),
    received: () => undefined,
    closed: ({ name }) => told.push(`closed ${name}`),
  };
  const { behaviour, open } = nativeDoor(door, (error) => told.push(String(error)));
  // What a closed socket of uWebSockets.js still gives is its user data: it looks alive until it is written to.
  const socket = (name: string) =>
    ({ getUserData: () => ({ held: { name } }) }) as unknown as NativeSocket<Held<{ name: string }>>;
  const [dead, living] = [socket('dead'), socket('living')];
  open(() => {
    void behaviour.open?.(dead);
    behaviour.close?.(dead, 1006, new ArrayBuffer(0));
  });
  open(() => void behaviour.open?.(living));
  behaviour.close?.(living, 1000, new ArrayBuffer(0));
  expect(told).toEqual(['opened living', 'closed living']);
});
