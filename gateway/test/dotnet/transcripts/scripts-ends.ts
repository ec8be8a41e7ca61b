import { type Script, withAndWithoutDetails } from './script.ts';

/** What one client says that ends its connection. */
function fatal(title: string, ...said: readonly (object | string)[]): Script[] {
  return withAndWithoutDetails(title, async (room) => {
    const ann = await room.client('ann');
    ann.say(...said);
    await ann.heard.closed;
  });
}

/** What one client says that does not matter. */
function harmless(title: string, ...said: readonly (object | string)[]): Script {
  return {
    title,
    hub: 'plain',
    async play(room) {
      const ann = await room.client('ann');
      ann.say(...said);
      await ann.call('Add', 1, 2);
    },
  };
}

const call = { type: 1, invocationId: '1', target: 'Add', arguments: [1, 2] };

/** How connections end, and what does not end them. */
export const endScripts: readonly Script[] = [
  ...fatal('a Close of the client', { type: 7 }),
  ...fatal('a Close of the client with an error', { type: 7, error: 'I am broken' }),
  ...fatal('text that is no JSON', 'hello'),
  ...fatal('an empty record', ''),
  ...fatal('a list', '[]'),
  ...fatal('a message without a type', {}),
  ...fatal('a type in quotes', { type: '6' }),
  ...fatal('a call without a target', { type: 1, invocationId: '1', arguments: [] }),
  ...fatal('a call with an id that is a number', { ...call, invocationId: 7 }),
  ...fatal('a call whose arguments are an object', { ...call, arguments: {} }),
  ...withAndWithoutDetails('a call without the member arguments', async (room) => {
    const ann = await room.client('ann');
    ann.say({ type: 1, invocationId: '1', target: 'Nothing' });
    await ann.heard.count(2);
  }),
  ...fatal('a stream without an id', { type: 4, target: 'Count', arguments: [1] }),
  ...fatal('an item without an item', { type: 2, invocationId: '1' }),
  ...fatal('an item without an id', { type: 2, item: 1 }),
  ...fatal('a completion with a result and an error', { type: 3, invocationId: '1', result: 1, error: 'x' }),
  ...fatal('a completion without an id', { type: 3, result: 1 }),
  ...fatal('a cancel without an id', { type: 5 }),
  ...fatal('headers that are no object', { ...call, headers: 'x' }),
  ...fatal('a hub that aborts its caller', { type: 1, invocationId: '1', target: 'Abort', arguments: [] }),
  harmless('pings', { type: 6 }, { type: 6 }),
  harmless('an ack and a sequence that nobody asked for', { type: 8, sequenceId: 1 }),
  {
    title: 'a type that nobody knows, and a call behind it',
    hub: 'strict',
    async play(room) {
      const ann = await room.client('ann');
      ann.say({ type: 42 }, { ...call, target: 'Echo', arguments: ['x'.repeat(960)] });
      await ann.heard.count(2);
    },
  },
  harmless('a call with the empty id', { ...call, invocationId: '' }),
  {
    title: 'a client that leaves without a word',
    hub: 'plain',
    async play(room) {
      const ann = await room.client('ann');
      ann.leave();
      await ann.heard.closed;
    },
  },
  {
    title: 'an OnConnected that refuses',
    hub: 'refusing',
    play: async (room) => await (await room.client('ann')).heard.closed,
  },
  {
    title: 'an OnConnected that fails',
    hub: 'failing',
    play: async (room) => await (await room.client('ann')).heard.closed,
  },
  {
    title: 'a message as large as may be, and one that is larger by a byte',
    hub: 'strict',
    async play(room) {
      const bytes = 1024 - JSON.stringify({ ...call, target: 'Echo', arguments: [''] }).length - 1;
      const [ann, bob] = [await room.client('ann'), await room.client('bob')];
      ann.say({ ...call, target: 'Echo', arguments: ['x'.repeat(bytes)] });
      await ann.heard.count(2);
      bob.say({ ...call, target: 'Echo', arguments: ['x'.repeat(bytes + 1)] });
      await bob.heard.closed;
    },
  },
  {
    title: 'a client that pinged and then is silent',
    hub: 'strict',
    async play(room) {
      const ann = await room.client('ann');
      ann.say({ type: 6 });
      await ann.heard.closed;
    },
  },
  {
    title: 'a client that never pinged may be silent, and is pinged',
    hub: 'strict',
    async play(room) {
      const ann = await room.client('ann');
      await ann.heard.pings.until('more pings than fit into its time', ({ length }) => length > 3);
      await ann.call('Add', 1, 2);
    },
  },
];
