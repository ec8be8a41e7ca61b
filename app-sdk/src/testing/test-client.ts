import { iterate } from '../browser.ts';
import type { Activity } from '../hub/activity.ts';
import { readMessages } from '../hub/frames.ts';
import { isStream } from '../hub/result-stream.ts';
import { handshakeRequest, parseHandshakeResponse } from '../protocol/handshake.ts';
import type { CompletionMessage, HubMessage, HubProtocol, InvocationMessage } from '../protocol/hub.ts';
import { Inbox, type Received } from './inbox.ts';
import { turn } from './turn.ts';

/** How a client reaches its hub. */
export interface ClientLine {
  receive(bytes: Uint8Array): void;
  /** The client left cleanly, or the network is gone. Resolves when the hub has done with it. */
  end(kind: 'client_left' | 'connection_lost'): Promise<void>;
}

type Handler = (...args: readonly unknown[]) => unknown;

/** What a call of the client waits for. */
interface Call {
  item(item: unknown): void;
  end(error: Error | undefined, result: unknown): void;
}

const opening = 'the connection closed before the handshake was answered';

/** One client in memory: the official client's manners over the real codecs, without a transport. */
export class TestClient {
  readonly inbox = new Inbox();
  /** Resolves when the hub accepted the handshake; rejects when it did not. */
  readonly opened: Promise<void>;
  readonly closed: Promise<Error | undefined>;
  readonly #protocol: HubProtocol;
  readonly #activity: Activity;
  readonly #line: ClientLine;
  readonly #handlers = new Map<string, Handler[]>();
  readonly #calls = new Map<string, Call>();
  #count = 0;
  #state: 'opening' | 'open' | 'closed' = 'opening';
  #closeError: Error | undefined;
  #opened: (error?: Error) => void = () => undefined;
  #closed: (error: Error | undefined) => void = () => undefined;

  constructor(protocol: HubProtocol, activity: Activity, line: ClientLine) {
    this.#protocol = protocol;
    this.#activity = activity;
    this.#line = line;
    this.opened = new Promise((resolve, reject) => {
      this.#opened = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.closed = new Promise((resolve) => {
      this.#closed = resolve;
    });
  }

  start(): void {
    this.#post(handshakeRequest(this.#protocol.name, 1));
  }

  /** Bytes of the hub, whole messages; taken a moment later, in their order. */
  deliver(bytes: Uint8Array): void {
    this.#later(() => this.#receive(bytes));
  }

  /** Nothing comes any more, once what was delivered has been taken. */
  close(error?: Error): void {
    this.#later(() => this.#close(error));
  }

  on(target: string, handler: Handler): void {
    const handlers = this.#handlers.get(target.toLowerCase()) ?? [];
    this.#handlers.set(target.toLowerCase(), [...handlers, handler]);
  }

  async invoke(target: string, args: readonly unknown[]): Promise<unknown> {
    this.#checkOpen();
    return await new Promise((resolve, reject) => {
      const end: Call['end'] = (error, result) => (error === undefined ? resolve(result) : reject(error));
      this.#call('invocation', target, args, { item: () => undefined, end });
    });
  }

  async send(target: string, args: readonly unknown[]): Promise<void> {
    this.#checkOpen();
    this.#call('invocation', target, args);
    await this.#activity.track(turn());
  }

  stream(target: string, args: readonly unknown[]): AsyncIterable<unknown> {
    return iterate({
      subscribe: (observer) => {
        this.#checkOpen();
        const id = this.#call('streamInvocation', target, args, {
          item: (item) => observer.next(item),
          end: (error) => (error === undefined ? observer.complete() : observer.error(error)),
        });
        return { dispose: () => this.#cancel(id) };
      },
    });
  }

  async stop(): Promise<void> {
    if (this.#state !== 'closed') this.#write({ kind: 'close' });
    await Promise.resolve();
    await this.#line.end('client_left');
    await this.closed;
  }

  async drop(): Promise<void> {
    this.close(new Error('the network is gone'));
    await this.#line.end('connection_lost');
    await this.closed;
  }

  #call(kind: 'invocation' | 'streamInvocation', target: string, args: readonly unknown[], call?: Call): string {
    const uploads = args.filter(isStream).map((values) => ({ id: String(this.#count++), values }));
    const id = String(this.#count++);
    const streams = uploads.length === 0 ? {} : { streamIds: uploads.map((upload) => upload.id) };
    const head = { target, arguments: args.filter((arg) => !isStream(arg)), ...streams };
    if (call === undefined) this.#write({ kind: 'invocation', ...head });
    else this.#write({ kind, invocationId: id, ...head });
    if (call !== undefined) this.#calls.set(id, call);
    for (const upload of uploads) void this.#upload(upload.id, upload.values);
    return id;
  }

  /** A turn for each item: an upload without an end must leave others their time. */
  async #upload(invocationId: string, values: AsyncIterable<unknown>): Promise<void> {
    let error: string | undefined;
    try {
      for await (const item of values) {
        if (this.#state === 'closed') return;
        this.#write({ kind: 'streamItem', invocationId, item: item ?? null });
        await turn();
      }
    } catch (cause) {
      error = (cause instanceof Error && cause.message) || String(cause);
    }
    if (this.#state === 'open') this.#write({ kind: 'completion', invocationId, error });
  }

  #cancel(invocationId: string): void {
    if (this.#calls.delete(invocationId) && this.#state === 'open')
      this.#write({ kind: 'cancelInvocation', invocationId });
  }

  #write(message: HubMessage): void {
    this.#post(this.#protocol.write(message));
  }

  #post(bytes: Uint8Array): void {
    this.#later(() => this.#line.receive(bytes));
  }

  #later(run: () => void): void {
    this.#activity.begin();
    queueMicrotask(() => {
      run();
      this.#activity.end();
    });
  }

  #checkOpen(): void {
    if (this.#state !== 'open') throw new Error('the connection is not open');
  }

  #receive(bytes: Uint8Array): void {
    if (this.#state === 'opening') this.#answered(bytes);
    else for (const message of readMessages(this.#protocol, bytes)) this.#take(message);
  }

  #answered(bytes: Uint8Array): void {
    const { error } = parseHandshakeResponse(bytes);
    if (error === undefined) this.#state = 'open';
    this.#opened(error === undefined ? undefined : new Error(`Server returned handshake error: ${error}`));
  }

  #take(message: HubMessage): void {
    if (message.kind === 'invocation') this.#called(message);
    else if (message.kind === 'streamItem') this.#calls.get(message.invocationId)?.item(message.item);
    else if (message.kind === 'completion') this.#completed(message);
    else if (message.kind === 'close' && message.error !== undefined) {
      this.#closeError = new Error(`Server returned an error on close: ${message.error}`);
    }
  }

  #called({ target, arguments: args, invocationId }: InvocationMessage): void {
    const handlers = this.#handlers.get(target.toLowerCase()) ?? [];
    if (invocationId !== undefined) void this.#activity.track(this.#answer(invocationId, handlers, args));
    else this.#heard({ target, arguments: args }, handlers);
  }

  #heard(message: Received, handlers: readonly Handler[]): void {
    this.inbox.push(message);
    for (const handler of handlers) handler(...message.arguments);
  }

  async #answer(invocationId: string, handlers: readonly Handler[], args: readonly unknown[]): Promise<void> {
    const answer = await ask(handlers, args);
    if (this.#state === 'open') this.#write({ kind: 'completion', invocationId, ...answer });
  }

  #completed({ invocationId, error, result }: CompletionMessage): void {
    const call = this.#calls.get(invocationId);
    this.#calls.delete(invocationId);
    call?.end(error === undefined ? undefined : new Error(error), result);
  }

  #close(error: Error | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    const reason = this.#closeError ?? error;
    this.#opened(reason ?? new Error(opening));
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of calls) call.end(reason ?? new Error('the connection closed before the call ended'), undefined);
    this.inbox.close();
    this.#closed(reason);
  }
}

/** What the handlers of a client method give, in the words of the official client. */
async function ask(
  handlers: readonly Handler[],
  args: readonly unknown[],
): Promise<Pick<CompletionMessage, 'error' | 'result'>> {
  try {
    const given = await Promise.all(handlers.map((handler) => handler(...args)));
    const [result, ...more] = given.filter((value) => value !== undefined);
    if (more.length > 0) return { error: 'Client provided multiple results.' };
    return result === undefined ? { error: "Client didn't provide a result." } : { result };
  } catch (error) {
    return { error: String(error) };
  }
}
