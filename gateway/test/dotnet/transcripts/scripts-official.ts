import { Subject } from '@microsoft/signalr';
import type { Script } from './script.ts';

/** The official JavaScript client. */
export const officialScripts: readonly Script[] = [
  {
    title: 'the official client: calls, errors, sends',
    hub: 'detailed',
    async play(room) {
      const ann = await room.official('ann');
      const news: unknown[] = [];
      ann.on('news', (...args) => news.push(args));
      await ann.start();
      room.note('what ann got', JSON.stringify([await ann.invoke('Add', 1, 2), await ann.invoke('Nothing')]));
      for (const call of [['Nope'], ['Add', 1], ['Fail', 'broken'], ['Refuse', 'no']] as const) {
        const [target, ...args] = call;
        room.note('what ann got', await ann.invoke(target, ...args).then(String, String));
      }
      await ann.send('Tell', 'caller', [], 'sent');
      await ann.invoke('Several');
      room.note('what ann got', JSON.stringify(news));
      await ann.stop();
    },
  },
  {
    title: 'the official client: streams both ways',
    hub: 'plain',
    async play(room) {
      const ann = await room.official('ann');
      await ann.start();
      const items = (target: string, ...args: unknown[]): Promise<string> =>
        new Promise((resolve) => {
          const got: unknown[] = [];
          ann.stream(target, ...args).subscribe({
            next: (item) => void got.push(item),
            complete: () => resolve(JSON.stringify(got)),
            error: (error) => resolve(`${JSON.stringify(got)} ${error}`),
          });
        });
      for (const target of ['Count', 'FailAfter', 'RefuseAfter']) {
        room.note('what ann got', await items(target, 2));
      }
      const numbers = new Subject<number>();
      const sum = ann.invoke('Sum', numbers);
      for (const n of [1, 2, 3]) numbers.next(n);
      numbers.complete();
      room.note('what ann got', String(await sum));
      const failing = new Subject<number>();
      const failed = ann.invoke('Sum', failing);
      failing.error(new Error('no more'));
      room.note('what ann got', await failed.then(String, String));
      await ann.stop();
    },
  },
  {
    title: 'the official client: it is asked, with and without a handler',
    hub: 'plain',
    async play(room) {
      const ann = await room.official('ann');
      await ann.start();
      room.note('what ann got', await ann.invoke('AskCaller').then(String, String));
      ann.on('askName', () => 'Ann');
      room.note('what ann got', await ann.invoke('AskCaller').then(String, String));
      await ann.stop();
    },
  },
  {
    title: 'the official client with stateful reconnect is let in',
    hub: 'plain',
    async play(room) {
      const ann = await room.official('ann', (builder) => builder.withStatefulReconnect());
      await ann.start();
      room.note('what ann got', String(await ann.invoke('Add', 1, 2)));
      await ann.stop();
    },
  },
  {
    title: 'the official client hears why it was closed',
    hub: 'refusing',
    async play(room) {
      const ann = await room.official('ann');
      const told = new Promise<unknown>((resolve) => ann.onclose(resolve));
      // The Close may come in time to fail the start.
      const refused = ann.start().then(
        () => told,
        (error: unknown) => error,
      );
      room.note('what ann got', String(await refused));
      await ann.heard.closed;
    },
  },
];
