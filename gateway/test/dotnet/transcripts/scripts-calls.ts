import { type Script, withAndWithoutDetails } from './script.ts';

/** One call by one client, to its completion. */
function call(title: string, target: string, ...args: readonly unknown[]): Script[] {
  return withAndWithoutDetails(title, async (room) => await (await room.client('ann')).call(target, ...args));
}

/** Calls of hub methods, and what they answer. */
export const callScripts: readonly Script[] = [
  ...call('a result', 'Add', 40, 2),
  ...call('a name in other letters', 'aDD', 40, 2),
  {
    title: 'results of every kind',
    hub: 'plain',
    async play(room) {
      const ann = await room.client('ann');
      const values = [
        0,
        -1.5,
        1e21,
        '',
        'é😀\n"',
        "\u2028 <b>&'+",
        true,
        false,
        null,
        [],
        [1, ['a']],
        {},
        { a: { B: 1 } },
      ];
      for (const value of values) await ann.call('Echo', value);
      await ann.call('Describe', 'Ann', 30);
      await ann.call('Describe', null, 30);
      await ann.call('WhoAmI');
    },
  },
  {
    title: 'no result: void, a task, null',
    hub: 'plain',
    async play(room) {
      const ann = await room.client('ann');
      for (const target of ['Nothing', 'NothingLater', 'Null']) await ann.call(target);
      await ann.call('Later', 'soon');
    },
  },
  ...call('a method that is not there', 'Nope', 1),
  ...call('a method of the base class', 'Dispose'),
  ...call('a method whose name begins like one of an object', 'toString'),
  ...call('too few arguments', 'Add', 1),
  ...call('no arguments where two are wanted', 'Add'),
  ...call('too many arguments', 'Add', 1, 2, 3),
  {
    title: 'too few arguments for a method that checks none',
    hub: 'plain',
    play: async (room) => await (await room.client('ann')).call('Later'),
  },
  ...call('an argument of a wrong type', 'Add', 'one', 2),
  ...call('null where a number is wanted', 'Add', null, 2),
  ...call('an error that was not meant for clients', 'Fail', 'broken'),
  ...call('the same from a task', 'FailLater', 'broken'),
  ...call('a hub exception', 'Refuse', 'not for you'),
  ...call('a hub exception without a text', 'Refuse', ''),
  {
    title: 'calls that want no answer: good, unknown, wrong, failing',
    hub: 'detailed',
    async play(room) {
      const ann = await room.client('ann');
      ann.say(
        { type: 1, target: 'Nothing', arguments: [] },
        { type: 1, target: 'Nope', arguments: [] },
        { type: 1, target: 'Add', arguments: ['one'] },
        { type: 1, target: 'Fail', arguments: ['broken'] },
        { type: 1, target: 'Count', arguments: [1] },
      );
      await ann.call('Add', 1, 2);
    },
  },
  {
    title: 'headers, members that nobody knows, and type at the end',
    hub: 'plain',
    async play(room) {
      const ann = await room.client('ann');
      ann.say({
        target: 'Add',
        arguments: [1, 2],
        more: { deep: [1] },
        headers: { trace: '1' },
        invocationId: 'x',
        type: 1,
      });
      await ann.heard.count(2);
    },
  },
  {
    title: 'calls run one after the other, in the order in which they came',
    hub: 'plain',
    async play(room) {
      const ann = await room.client('ann');
      const ids = ['1', '2', '3', '4'];
      ann.say(...ids.map((invocationId) => ({ type: 1, invocationId, target: 'Later', arguments: [invocationId] })));
      await ann.heard.count(5);
    },
  },
  {
    title: 'a call that runs keeps its id',
    hub: 'parallel',
    async play(room) {
      const ann = await room.client('ann');
      ann.say({ type: 1, invocationId: '1', target: 'Hold', arguments: [] });
      ann.say({ type: 1, invocationId: '1', target: 'Add', arguments: [1, 2] });
      await ann.call('Add', 3, 4);
    },
  },
  {
    title: 'an id that was answered may be used again',
    hub: 'plain',
    async play(room) {
      const ann = await room.client('ann');
      for (const sum of [3, 4]) {
        ann.say({ type: 1, invocationId: '1', target: 'Add', arguments: [1, sum - 1] });
        await ann.heard.text(`"result":${sum}`);
      }
    },
  },
];
