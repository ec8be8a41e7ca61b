import { type HubConnection, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { Inbox } from '../support/inbox.ts';

/** What somebody heard: the client method, then its arguments. */
export type Heard = readonly [method: string, ...args: readonly unknown[]];

const methods = ['Welcome', 'ReceiveMessage', 'SaidInRoom', 'ReceivePrivate'];

/** Logs in at an app server. @returns the token that it gives. */
async function login(app: string, user: string, moderator = false): Promise<string> {
  return await (await fetch(`${app}/login?user=${user}&moderator=${moderator}`, { method: 'POST' })).text();
}

/** Somebody in the chat of `examples/aspnet-chat`, with the official JavaScript client. */
export class ChatUser {
  readonly connection: HubConnection;
  readonly inbox = new Inbox<Heard>();
  /** Numbers of the clock. */
  readonly ticks = new Inbox<number>();
  /** Ids after each return. */
  readonly returns = new Inbox<string | undefined>();
  readonly #app: string;
  readonly #token: string;

  private constructor(app: string, token: string, mood: string) {
    this.#app = app;
    this.#token = token;
    this.connection = new HubConnectionBuilder()
      .withUrl(`${app}/chat`, { accessTokenFactory: () => token })
      .withAutomaticReconnect({ nextRetryDelayInMilliseconds: () => 50 })
      .configureLogging(LogLevel.None)
      .build();
    for (const method of methods) this.connection.on(method, (...args) => this.inbox.add([method, ...args]));
    this.connection.on('Tick', (number: number) => this.ticks.add(number));
    this.connection.on('AskMood', () => mood);
    this.connection.onreconnected((id) => this.returns.add(id));
  }

  /** What an app server answers to a client of this user that negotiates. */
  static async invite(app: string, user: string): Promise<{ url: string; accessToken: string }> {
    const headers = { authorization: `Bearer ${await login(app, user)}` };
    const answer = await fetch(`${app}/chat/negotiate?negotiateVersion=1`, { method: 'POST', headers });
    return (await answer.json()) as { url: string; accessToken: string };
  }

  /** Logs in at an app server, and connects where it sends clients. */
  static async enter(app: string, user: string, { moderator = false, mood = 'calm' } = {}): Promise<ChatUser> {
    const one = new ChatUser(app, await login(app, user, moderator), mood);
    await one.connection.start();
    await one.hears('Welcome');
    return one;
  }

  /** Resolves when this client method was called with this as its last argument; with anything unless said. */
  hears(method: string, last?: unknown): Promise<void> {
    const fits = ([name, ...args]: Heard): boolean => name === method && (last === undefined || args.at(-1) === last);
    return this.inbox.one(`${method} ${last ?? ''}`, fits);
  }

  /** All calls of this client method. */
  of(method: string): Heard[] {
    return this.inbox.items.filter(([name]) => name === method);
  }

  /** Asks the app to send a message from outside of the hub. */
  async post(path: string, text: string): Promise<number> {
    const answer = await fetch(`${this.#app}/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ text }),
    });
    return answer.status;
  }

  /** The items of a stream, up to so many; then it is cancelled. */
  stream(method: string, args: readonly unknown[], most = Number.POSITIVE_INFINITY): Promise<unknown[]> {
    return new Promise((resolve, reject) => {
      const items: unknown[] = [];
      const subscription = this.connection.stream(method, ...args).subscribe({
        next: (item) => {
          items.push(item);
          if (items.length < most) return;
          subscription.dispose();
          resolve(items);
        },
        complete: () => resolve(items),
        error: reject,
      });
    });
  }

  stop(): Promise<void> {
    return this.connection.stop();
  }
}
