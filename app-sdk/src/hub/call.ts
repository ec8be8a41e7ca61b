import type { HubFilter } from '../hub.ts';
import type { Logger, Tell } from '../observe.ts';
import type { CompletionMessage, HubMessage, InvocationMessage, StreamInvocationMessage } from '../protocol/hub.ts';
import type { Activity } from './activity.ts';
import { type Ending, failure, invoke } from './invoke.ts';
import { LazySignal } from './lazy-signal.ts';
import { type HubPlan, type Method, methodOf } from './plan.ts';
import { discard, isStream, ResultStream } from './result-stream.ts';
import { errorText, texts } from './texts.ts';
import type { Upload } from './uploads.ts';

/** What all connections of a hub share. */
export interface HubParts {
  /** The full name. */
  readonly name: string;
  readonly plan: HubPlan;
  /** Of the host, then of the hub. */
  readonly filters: readonly HubFilter[];
  readonly logger: Logger;
  readonly tell: Tell;
  readonly activity: Activity;
}

/** What a call needs of its connection. */
export interface CallSite {
  readonly parts: HubParts;
  /** The hub of this call, as its method sees it. */
  hubOf(call: Call): unknown;
  /** Throws when the message has no form in the client's protocol. Rejects when the link is gone. */
  write(message: HubMessage): Promise<void>;
}

/** What a client sends to call. */
export type CallMessage = InvocationMessage | StreamInvocationMessage;

/** One call of a hub method by a client, from its arrival to its completion. */
export class Call {
  readonly message: CallMessage;
  /** On the wire. */
  readonly bytes: number;
  readonly signal = new LazySignal();
  /** Gives the call's place to the next one in line, once. */
  leavePlace: () => void = () => undefined;
  readonly #site: CallSite;
  readonly #uploads: Upload[] = [];
  #openUploads = 0;
  #stream: ResultStream | undefined;
  #watched = false;
  #ended = false;

  constructor(site: CallSite, message: CallMessage, bytes: number) {
    this.#site = site;
    this.message = message;
    this.bytes = bytes;
    this.#watch(true);
  }

  /** Streams, up or down, run beside the line. */
  get beside(): boolean {
    return this.message.kind === 'streamInvocation' || this.message.streamIds !== undefined;
  }

  /** Opens an upload of this call. What waits for a client to end it does not count as under way. */
  open(make: (closed: () => void) => Upload): void {
    this.#openUploads++;
    this.#watch(false);
    this.#uploads.push(make(() => this.#watch(--this.#openUploads === 0)));
  }

  /** The client does not want the result, or the connection ended. */
  cancel(): void {
    this.signal.abort();
    this.#stream?.cancel();
  }

  /** Runs the method and answers. Never rejects. */
  async run(): Promise<void> {
    const { plan } = this.#site.parts;
    const { target } = this.message;
    const startedAt = performance.now();
    const method = methodOf(plan, target);
    const ending = await this.#answer(method === undefined ? unknown(target) : await this.#invoke(method));
    for (const upload of this.#uploads) void upload.return();
    this.#tell(method?.name ?? 'unknown', ending, performance.now() - startedAt);
  }

  /** It is over, or will never run: nothing of it is under way any more. */
  end(): void {
    this.#watch(false);
    this.#ended = true;
  }

  #invoke(method: Method): Promise<Ending> {
    const { parts } = this.#site;
    const { target } = this.message;
    return invoke({
      method,
      target,
      arguments: this.#arguments(method),
      hub: this.#site.hubOf(this),
      filters: parts.filters,
      detailedErrors: parts.plan.detailedErrors,
      signal: this.signal,
    });
  }

  /** Streams stand behind the other arguments; those that are missing before them are `undefined`. */
  #arguments({ parameters }: Method): readonly unknown[] {
    const { arguments: args } = this.message;
    if (this.#uploads.length === 0) return args;
    const missing = Math.max(0, parameters - this.#uploads.length - args.length);
    return [...args, ...Array<undefined>(missing).fill(undefined), ...this.#uploads];
  }

  async #answer(ending: Ending): Promise<Ending> {
    if (ending.outcome !== 'ok') return await this.#complete(ending);
    const { kind, target } = this.message;
    const { value } = ending;
    if (isStream(value)) {
      if (kind === 'streamInvocation') return await this.#streamOut(value);
      discard(value);
      return await this.#complete({ outcome: 'invalid', text: texts.streaming(target) });
    }
    if (kind === 'invocation') return await this.#complete(ending);
    return await this.#complete({ outcome: 'invalid', text: texts.notStreaming(target) });
  }

  async #streamOut(stream: AsyncIterable<unknown>): Promise<Ending> {
    const { invocationId = '' } = this.message;
    const { detailedErrors } = this.#site.parts.plan;
    this.#watch(false);
    try {
      this.#stream = new ResultStream(stream, (item) =>
        this.#site.write({ kind: 'streamItem', invocationId, item: item ?? null }),
      );
      if (this.signal.aborted) this.#stream.cancel();
      await this.#stream.run();
    } catch (error) {
      return await this.#complete(failure(texts.streamFailed, error, detailedErrors));
    }
    await this.#send({ kind: 'completion', invocationId });
    return this.signal.aborted ? { outcome: 'cancelled', text: '' } : { outcome: 'ok', value: undefined };
  }

  /** A void method answers null, as the official server does. */
  async #complete(ending: Ending): Promise<Ending> {
    const { invocationId, target } = this.message;
    if (invocationId === undefined) return ending;
    const answer = ending.outcome === 'ok' ? { result: ending.value ?? null } : { error: ending.text };
    const failed = await this.#send({ kind: 'completion', invocationId, ...answer });
    if (failed === undefined || ending.outcome !== 'ok') return ending;
    return await this.#complete(failure(texts.failed(target), failed, this.#site.parts.plan.detailedErrors));
  }

  /** Gives the error of a message that has no form. A link that is gone is the host's affair. */
  async #send(message: CompletionMessage): Promise<unknown> {
    let written: Promise<void>;
    try {
      written = this.#site.write(message);
    } catch (error) {
      return error;
    }
    await written.catch(() => undefined);
    return undefined;
  }

  #tell(method: string, ending: Ending, ms: number): void {
    const { name: hub, logger, tell } = this.#site.parts;
    const error = ending.outcome === 'ok' ? undefined : ending.error;
    const outcome = ending.outcome === 'error' && this.signal.aborted ? 'cancelled' : ending.outcome;
    if (outcome === 'error') logger.error({ hub, method, error: errorText(error) }, 'hub method failed');
    tell('methodEnded', { hub, method, outcome, ms, ...(error !== undefined && { error }) });
  }

  #watch(on: boolean): void {
    if (on === this.#watched || this.#ended) return;
    this.#watched = on;
    const { activity } = this.#site.parts;
    if (on) activity.begin();
    else activity.end();
  }
}

function unknown(target: string): Ending {
  return { outcome: 'unknown', text: texts.unknownMethod(target) };
}
