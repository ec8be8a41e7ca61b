import { type Script, withAndWithoutDetails } from './script.ts';

/** A script of one client that says this first and is sent away. */
function refused(title: string, ...said: readonly (object | string)[]): Script[] {
  return withAndWithoutDetails(title, async (room) => {
    const ann = await room.stranger('ann');
    ann.say(...said);
    await ann.heard.closed;
  });
}

/** Before the first hub message. */
export const handshakeScripts: readonly Script[] = [
  {
    title: 'negotiate',
    hub: 'plain',
    play: async (room) => room.note('ann', await room.negotiate('ann')),
  },
  {
    title: 'negotiate with a wish for stateful reconnect',
    hub: 'plain',
    play: async (room) => room.note('ann', await room.negotiate('ann', undefined, '&useStatefulReconnect=true')),
  },
  {
    title: 'a handshake, and nothing else',
    hub: 'plain',
    play: async (room) => void (await room.client('ann')),
  },
  {
    title: 'a handshake with the protocol in capitals and members that nobody knows',
    hub: 'plain',
    async play(room) {
      const ann = await room.stranger('ann');
      ann.say({ minorVersion: 0, version: 1, protocol: 'JSON' });
      await ann.heard.count(1);
    },
  },
  {
    title: 'a handshake of version 0, and one of version 2 that negotiated nothing',
    hub: 'plain',
    async play(room) {
      for (const [name, version] of [['ann', 0] as const, ['bob', 2] as const]) {
        const client = await room.stranger(name);
        client.say({ protocol: 'json', version });
        await client.heard.count(1);
        await client.call('add', 1, 2);
      }
    },
  },
  {
    title: 'a handshake and calls in one piece, and a handshake in two pieces',
    hub: 'plain',
    async play(room) {
      const ann = await room.stranger('ann');
      const add = { type: 1, invocationId: '1', target: 'add', arguments: [1, 2] };
      ann.say({ protocol: 'json', version: 1 }, add);
      await ann.heard.count(2);
      const bob = await room.stranger('bob');
      bob.sayRaw('{"protocol":"json",');
      bob.sayRaw('"version":1}\x1e{"type":1,"invocationId":"1",');
      bob.sayRaw('"target":"add","arguments":[3,4]}\x1e');
      await bob.heard.count(2);
    },
  },
  ...refused('a protocol that nobody knows', { protocol: 'xml', version: 1 }),
  ...refused('a version that nobody speaks', { protocol: 'json', version: 3 }),
  ...refused('a handshake without a protocol', { version: 1 }),
  ...refused('a handshake without a version', { protocol: 'json' }),
  ...refused('a handshake with a version in quotes', { protocol: 'json', version: '1' }),
  ...refused('a handshake that is no JSON', 'hello'),
  ...refused('a handshake that is a list', '[]'),
  ...refused('a hub message in place of the handshake', { type: 6 }),
  {
    title: 'no handshake in time',
    hub: 'hasty',
    play: async (room) => await (await room.stranger('ann')).heard.closed,
  },
  {
    title: 'a handshake that is larger than a message may be',
    hub: 'strict',
    async play(room) {
      const ann = await room.stranger('ann');
      ann.say({ protocol: 'json', version: 1, more: 'x'.repeat(1024) });
      await ann.heard.closed;
    },
  },
];
