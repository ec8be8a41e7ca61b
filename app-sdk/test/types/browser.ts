/** What a typed connection must and must not let through. Compiled, never run. */
import { type HubConnection, HubConnectionBuilder, Subject } from '@microsoft/signalr';
import { iterate, type TypedHubConnection, upload } from '@signalbox/app-sdk/browser';
import type { Chat } from './chat.ts';

const connection = new HubConnectionBuilder().withUrl('/chat').build() as TypedHubConnection<HubConnection, Chat>;

connection.on('receiveMessage', (user, text) => void (user + text));
connection.on('askName', async (question) => question);
connection.on('askName', (question) => question);
connection.off('joined');
connection.onreconnected((id) => void [id, connection.connectionId, connection.state]);
void connection.start();

const lines = new Subject<string>();
void connection.invoke('upload', 'x', lines).then((count) => count.toFixed());
void connection.invoke('history', 'r').then((history) => history[0]?.text);
connection
  .stream('counter', 1)
  .subscribe({ next: (n) => void n.toFixed(), error: () => undefined, complete: () => undefined });

export async function read(): Promise<void> {
  for await (const n of iterate(connection.stream('counter', 1))) n.toFixed();
}

async function* words(): AsyncGenerator<string> {
  yield 'a';
}
void connection.invoke('upload', 'x', upload(words()));

// @ts-expect-error wrong argument
void connection.invoke('sendMessage', 'a', 1);
// @ts-expect-error a stream is not invoked
void connection.invoke('counter', 1);
// @ts-expect-error a method is not streamed
void connection.stream('join', 'r');
// @ts-expect-error no such client method
connection.on('recieveMessage', () => undefined);
// @ts-expect-error the client answers with a string
connection.on('askName', () => 42);
// @ts-expect-error the stream given has other items
void connection.invoke('upload', 'x', new Subject<number>());
