/** What a hub context must and must not let through. Compiled, never run. */
import { type Address, type HubContext, SignalboxClient } from '@signalbox/app-sdk';
import { recordingHub } from '@signalbox/app-sdk/testing';
import type { Chat } from './chat.ts';

declare const hub: HubContext<Chat>;

void hub.send('alice', 'receiveMessage', 'a', 'b');
void hub.send('alice', { target: 'receiveMessage', arguments: ['a', 'b'] });
void hub.send('alice', { target: 'cleared' }, { timeoutMs: 1 });
void hub.send({ all: true, except: 'c1' }, 'cleared');
void hub.send({ group: 'g', except: ['a'] }, 'joined', 'r', 'u');
void hub.send({ connections: ['a'] }, 'joined', 'r');
void hub.clients
  .client('c', { timeoutMs: 1 })
  .invoke('askName', 'q')
  .then((answer) => answer.length);
void hub.clients
  .client('c')
  .invoke('pick')
  .then((x: 'a' | 'b') => x);
void hub.sendBatch([1].map((d) => ({ to: 'alice', target: 'receiveMessage', arguments: ['s', String(d)] })));
void hub.sendBatch([{ to: { group: 'g' }, target: 'cleared' }]);

// @ts-expect-error wrong argument
void hub.send('alice', 'receiveMessage', 'a', 1);
// @ts-expect-error missing argument
void hub.clients.all.receiveMessage('a');
// @ts-expect-error surplus argument
void hub.clients.all.receiveMessage('a', 'b', 'c');
// @ts-expect-error misspelt
void hub.clients.all.recieveMessage('a', 'b');
// @ts-expect-error a result method is not sent
void hub.send('alice', 'askName', 'q');
// @ts-expect-error nor called on all
void hub.clients.all.askName('q');
// @ts-expect-error nor on one client without invoke
void hub.clients.client('c').askName('q');
// @ts-expect-error a void method is not invoked
void hub.clients.client('c').invoke('receiveMessage', 'a', 'b');
// @ts-expect-error a group is not asked
void hub.clients.group('g').invoke('askName', 'q');
// @ts-expect-error a user is not asked
void hub.clients.user('u').invoke('askName', 'q');
// @ts-expect-error one place at a time
void hub.send({ user: 'a', group: 'b' }, 'cleared');
// @ts-expect-error except is for all and group
void hub.send({ user: 'a', except: 'c1' }, 'cleared');
// @ts-expect-error no caller outside a call
void hub.clients.caller;
// @ts-expect-error nobody joins outside a call
void hub.groups.join('room');
// @ts-expect-error a place is needed
export const none: Address = {};
// @ts-expect-error batch items are checked
void hub.sendBatch([{ to: 'alice', target: 'receiveMessage', arguments: ['a'] }]);

declare function job(hub: HubContext<Chat>): void;
declare const other: HubContext<{ server: object; client: { x(): void } }>;
job(new SignalboxClient<Chat>('', { hub: 'chat' }));
job(recordingHub<Chat>());
// @ts-expect-error another hub
job(other);
// @ts-expect-error another hub's recording
job(recordingHub<{ server: object; client: { x(): void } }>());

const untyped = new SignalboxClient(undefined, { hub: 'chat' });
void untyped.send('alice', 'anything', 1, { two: 2 });
void untyped.send('alice', { target: 'anything', arguments: [1] });
void untyped.clients.all.anything?.(1);
void untyped.clients.client('c').invoke('x', 1);

const [first] = recordingHub<Chat>().sent;
if (first?.target === 'receiveMessage') {
  const [user, text]: readonly [string, string] = first.arguments;
  void [user, text, first.to.group];
}
