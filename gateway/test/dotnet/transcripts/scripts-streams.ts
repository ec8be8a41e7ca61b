import { type Script, withAndWithoutDetails } from './script.ts';

/** A stream of one client, to its completion. */
function stream(title: string, target: string, ...args: readonly unknown[]): Script[] {
  return withAndWithoutDetails(title, async (room) => {
    const ann = await room.client('ann');
    ann.say({ type: 4, invocationId: '1', target, arguments: args });
    await ann.heard.text('"type":3');
  });
}

/** A call with one upload: what is said behind it, to its completion. */
function upload(title: string, ...said: readonly object[]): Script[] {
  return withAndWithoutDetails(title, async (room) => {
    const ann = await room.client('ann');
    ann.say({ type: 1, invocationId: '1', target: 'Sum', arguments: [], streamIds: ['u'] }, ...said);
    await ann.heard.text('"type":3');
  });
}

const item = (value: unknown, invocationId = 'u'): object => ({ type: 2, invocationId, item: value });
const end = (invocationId = 'u'): object => ({ type: 3, invocationId });

/** Streams, both ways. */
export const streamScripts: readonly Script[] = [
  ...stream('a stream of three', 'Count', 3),
  ...stream('a stream without items', 'Count', 0),
  ...stream('a stream from a channel, with null', 'Letters'),
  ...stream('a stream that fails after two items', 'FailAfter', 2),
  ...stream('a stream that ends with a hub exception', 'RefuseAfter', 1),
  ...stream('a method that throws in place of a stream', 'RefuseStream'),
  ...stream('a stream of an unknown method', 'Nope'),
  ...stream('a stream of a method that gives none', 'Add', 1, 2),
  ...stream('a stream with wrong arguments', 'Count', 'many'),
  {
    title: 'a call of a method that streams',
    hub: 'plain',
    play: async (room) => await (await room.client('ann')).call('Count', 3),
  },
  {
    title: 'a stream that is cancelled, twice, and an id that nobody knows',
    hub: 'plain',
    async play(room) {
      const ann = await room.client('ann');
      ann.say({ type: 4, invocationId: '1', target: 'One', arguments: [] });
      await ann.heard.count(2);
      ann.say({ type: 5, invocationId: '1' }, { type: 5, invocationId: '1' }, { type: 5, invocationId: 'nobody' });
      await ann.heard.text('"type":3');
    },
  },
  {
    title: 'two streams beside each other and a call',
    hub: 'plain',
    async play(room) {
      const ann = await room.client('ann');
      for (const invocationId of ['1', '2']) {
        ann.say({ type: 4, invocationId, target: 'One', arguments: [] });
        await ann.heard.text(`"invocationId":"${invocationId}"`);
      }
      await ann.call('Add', 1, 2);
      for (const invocationId of ['2', '1']) {
        ann.say({ type: 5, invocationId });
        await ann.heard.text(`{"type":3,"invocationId":"${invocationId}"`);
      }
    },
  },
  {
    title: 'the id of a stream that runs',
    hub: 'plain',
    async play(room) {
      const ann = await room.client('ann');
      const one = { type: 4, invocationId: '1', target: 'One', arguments: [] };
      ann.say(one);
      await ann.heard.count(2);
      ann.say(one);
      await ann.heard.count(3);
    },
  },
  ...upload('an upload', item(1), item(2), end()),
  ...upload('an upload without items', end()),
  ...upload('an upload that fails', item(1), { type: 3, invocationId: 'u', error: 'my disk is full' }),
  ...upload('an upload with an item of a wrong type', item(1), item('two'), end()),
  ...withAndWithoutDetails('two uploads in one call', async (room) => {
    const ann = await room.client('ann');
    const merge = { type: 1, invocationId: '1', target: 'Merge', arguments: ['-'], streamIds: ['l', 'r'] };
    ann.say(merge, item('c', 'r'), item('a', 'l'), item('b', 'l'), end('r'), end('l'));
    await ann.heard.text('"type":3');
  }),
  ...withAndWithoutDetails('an upload that the method does not take', async (room) => {
    const ann = await room.client('ann');
    ann.say({ type: 1, invocationId: '1', target: 'Add', arguments: [1, 2], streamIds: ['u'] });
    await ann.heard.text('"type":3');
  }),
  ...withAndWithoutDetails('no upload where the method takes one', async (room) => {
    await (await room.client('ann')).call('Sum');
  }),
  {
    title: 'a method that reads only the first item, and items after that',
    hub: 'plain',
    async play(room) {
      const ann = await room.client('ann');
      ann.say({ type: 1, invocationId: '1', target: 'First', arguments: [], streamIds: ['u'] }, item(7));
      await ann.heard.text('"type":3');
      ann.say(item(8), end(), item(9), end());
    },
  },
  {
    title: 'items and ends of uploads that nobody opened',
    hub: 'plain',
    async play(room) {
      const ann = await room.client('ann');
      ann.say(item(1, 'nobody'), end('nobody'), { type: 3, invocationId: 'nobody', error: 'x' });
    },
  },
  {
    title: 'an upload to a stream',
    hub: 'plain',
    async play(room) {
      const ann = await room.client('ann');
      ann.say({ type: 4, invocationId: '1', target: 'Double', arguments: [], streamIds: ['u'] });
      for (const n of [1, 2]) {
        ann.say(item(n));
        await ann.heard.text(`"item":${2 * n}`);
      }
      ann.say(end());
      await ann.heard.text('"type":3');
    },
  },
];
