/** What an app server must and must not let through. Compiled, never run. */
import { AppServer, defineHub, type Health, type HubContext, type HubFilter } from '@signalbox/app-sdk';
import { chat } from '../examples/chat.ts';
import type { Chat } from '../examples/contract.ts';

declare const server: AppServer;

const timing: HubFilter = async (event, next) => {
  void event.kind;
  return await next();
};
const other = defineHub<{ server: object; client: { x(): void } }>({ name: 'other', methods: {} });
void new AppServer(process.env['SIGNALBOX_CONNECTION_STRING'], { hubs: [chat, other], filters: [timing], links: 2 });

void server.start();
void server.start({ timeoutMs: 1, signal: AbortSignal.timeout(1) });
void server.stop({ graceMs: 1, clients: 'drop' });
void server.hub(chat).clients.all.receiveMessage('a', 'b');
const context: HubContext<Chat> = server.hub(chat);
const state: Health['state'] = server.health().state;
void (async () => {
  await using disposed = new AppServer('', { hubs: [chat] });
  void disposed.health().hubs['chat']?.queuedBytes;
})();

// @ts-expect-error hubs are needed
void new AppServer('', {});
// @ts-expect-error a hub is a value of defineHub
void new AppServer('', { hubs: ['chat'] });
// @ts-expect-error no such way to stop
void server.stop({ clients: 'kill' });
// @ts-expect-error the contract comes with the definition
void server.hub(chat).clients.all.receiveMessage('a', 1);
// @ts-expect-error no caller outside a call
void server.hub(chat).clients.caller;
// @ts-expect-error another hub
const wrong: HubContext<Chat> = server.hub(other);

void [context, state, wrong];
