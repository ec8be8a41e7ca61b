import type { Room } from './room.ts';
import { type Script, withAndWithoutDetails } from './script.ts';
import type { Talker } from './talker.ts';

/** Two connections of ann, one of bob, one of cid; the second of ann and bob are in a group. */
async function four(room: Room): Promise<Record<'ann' | 'ann2' | 'bob' | 'cid', Talker>> {
  const ann = await room.client('ann');
  const ann2 = await room.client('ann again', 'ann');
  const bob = await room.client('bob');
  const cid = await room.client('cid');
  await ann2.call('Join', 'g');
  await bob.call('Join', 'g');
  return { ann, ann2, bob, cid };
}

type Names = (ids: Record<'ann' | 'ann2' | 'bob' | 'cid', string>) => readonly string[];

const targets: readonly (readonly [to: string, names: Names])[] = [
  ['all', () => []],
  ['others', () => []],
  ['caller', () => []],
  ['allExcept', ({ bob, cid }) => [bob, cid]],
  ['client', ({ bob }) => [bob]],
  ['client', () => ['nobody']],
  ['clients', ({ bob, cid }) => [bob, cid, 'nobody']],
  ['clients', () => []],
  ['group', () => ['g']],
  ['group', () => ['nobody']],
  ['groups', () => ['g', 'nobody']],
  ['groupExcept', ({ bob }) => ['g', bob]],
  ['othersInGroup', () => ['g']],
  ['user', () => ['ann']],
  ['user', () => ['nobody']],
  ['users', () => ['ann', 'cid', 'nobody']],
];

/** Sends of hubs to clients, and questions. */
export const sendScripts: readonly Script[] = [
  ...targets.map(([to, names], number) => ({
    title: `a send to ${to}, case ${number}`,
    hub: 'plain',
    async play(room: Room) {
      const all = await four(room);
      const { ann, ann2, bob, cid } = all;
      const ids = { ann: ann.id, ann2: ann2.id, bob: bob.id, cid: cid.id };
      for (const teller of [ann, bob]) await teller.call('Tell', to, names(ids), { case: number });
    },
  })),
  {
    title: 'sends with no arguments, many, and an object, in order',
    hub: 'plain',
    play: async (room) => await (await room.client('ann')).call('Several'),
  },
  {
    title: 'a group that was joined twice and left',
    hub: 'plain',
    async play(room) {
      const ann = await room.client('ann');
      for (const target of ['Join', 'Join', 'Tell', 'Leave', 'Tell', 'Leave']) {
        await ann.call(target, ...(target === 'Tell' ? ['group', ['g'], 1] : ['g']));
      }
    },
  },
  {
    title: 'sends of OnConnected come before the answer to the first call',
    hub: 'greeting',
    async play(room) {
      const ann = await room.stranger('ann');
      ann.say({ protocol: 'json', version: 1 }, { type: 1, invocationId: '1', target: 'Add', arguments: [1, 2] });
      await ann.heard.text('"type":3');
      const bob = await room.client('bob');
      await bob.call('Add', 3, 4);
    },
  },
  ...withAndWithoutDetails('a question to the caller, and its answer', async (room) => {
    const ann = await room.client('ann');
    await ask(ann, { result: 'Ann' });
  }),
  ...withAndWithoutDetails('a question that the client cannot answer', async (room) => {
    const ann = await room.client('ann');
    await ask(ann, { error: "Client didn't provide a result." });
  }),
  ...withAndWithoutDetails('a question that is answered with a wrong type', async (room) => {
    const ann = await room.client('ann');
    await ask(ann, { result: 7 });
  }),
  ...withAndWithoutDetails('a question that is answered with nothing', async (room) => {
    const ann = await room.client('ann');
    await ask(ann, {});
  }),
  ...withAndWithoutDetails('a question to a client that is not there', async (room) => {
    await (await room.client('ann')).call('Ask', 'nobody');
  }),
  ...withAndWithoutDetails('a question to another client', async (room) => {
    const [ann, bob] = [await room.client('ann'), await room.client('bob')];
    ann.say({ type: 1, invocationId: '1', target: 'Ask', arguments: [bob.id] });
    await answer(bob, { result: 'Bob' });
    await ann.heard.text('"type":3');
  }),
  {
    title: 'a question to a client that leaves',
    hub: 'plain',
    async play(room) {
      const [ann, bob] = [await room.client('ann'), await room.client('bob')];
      ann.say({ type: 1, invocationId: '1', target: 'Ask', arguments: [bob.id] });
      await bob.heard.text('askName');
      bob.leave();
      await bob.heard.closed;
      await ann.heard.text('"type":3');
    },
  },
  {
    title: 'calls behind a question that waits',
    hub: 'plain',
    async play(room) {
      const ann = await room.client('ann');
      ann.say({ type: 1, invocationId: '1', target: 'AskCaller', arguments: [] });
      await ann.heard.text('askName');
      await ann.call('Add', 1, 2);
      await answer(ann, { result: 'Ann' });
      await ann.heard.text('"invocationId":"1"');
    },
  },
];

/** Answers the question that was heard. */
async function answer(client: Talker, completion: object): Promise<void> {
  await client.heard.text('askName');
  const question = client.heard.lines.items.find((line) => line.includes('askName')) ?? '';
  const { invocationId } = JSON.parse(question) as { invocationId: string };
  client.say({ type: 3, invocationId, ...completion });
}

/** Has itself asked, and answers. */
async function ask(client: Talker, completion: object): Promise<void> {
  client.say({ type: 1, invocationId: '1', target: 'AskCaller', arguments: [] });
  await answer(client, completion);
  await client.heard.text('"invocationId":"1"');
}
