import {
  ackStatuses,
  eventKinds,
  eventObjects,
  type ServiceMessage,
  type ServiceMessageOf,
} from '@signalbox/app-sdk/protocol';
import type { Reply, Router } from '../core/router.ts';
import { type ErrorCode, GatewayError } from '../errors.ts';
import type { AckStatus, Events } from '../observe/events.ts';
import type { Log } from '../observe/log.ts';
import { traceOfTracingId } from '../observe/trace.ts';
import type { Span, Tracing } from '../observe/tracing.ts';
import type { Question, Send } from '../protocol/command.ts';
import { type QuestionKind, questionOf, type SendKind, sendsOf } from './link-commands.ts';
import type { LinkNames } from './link-names.ts';

/** What carrying out the requests of one link needs. */
export interface LinkRequestsOptions {
  /** Id of the link. */
  readonly link: string;
  readonly hub: string;
  readonly router: Router;
  readonly names: LinkNames;
  readonly events: Pick<Events, 'dropped' | 'acknowledged'>;
  readonly log: Pick<Log, 'error'>;
  /** Follows messages with a tracing id; absent: nobody does. */
  readonly tracing?: Pick<Tracing, 'begin'> | undefined;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Says something to the app server, on the same link. */
  readonly say: (message: ServiceMessage) => void;
}

type AckFields = Pick<ServiceMessageOf<'Ack'>, 'status' | 'message'>;
type EventKind = 'invalid' | 'bufferFull';

/** A request whose sender waits for its outcome. */
interface WantedAck {
  readonly id: number;
  /** When it came, on the clock of the options. */
  readonly since: number;
}

const replies: Readonly<Record<Reply, AckFields>> = {
  yes: { status: ackStatuses.ok, message: '' },
  no: { status: ackStatuses.notFound, message: '' },
  limit: { status: ackStatuses.internalServerError, message: 'a limit of the gateway was reached' },
};

const statusWords: Readonly<Record<number, AckStatus>> = {
  [ackStatuses.ok]: 'ok',
  [ackStatuses.notFound]: 'not_found',
  [ackStatuses.timeout]: 'timeout',
};

/** Uncertain now, certain later: the app may ask again. */
const passing: ReadonlySet<ErrorCode> = new Set(['no_answer', 'backplane_down', 'backplane_full']);

/** What an app server is told of a send that was not taken; what is not here, the metrics tell alone. */
const told: Readonly<Partial<Record<ErrorCode, EventKind>>> = {
  too_large: 'invalid',
  request_invalid: 'invalid',
  name_invalid: 'invalid',
  backplane_full: 'bufferFull',
};

/** Between two ServiceEvents of one kind, in ms: an app that floods is not answered with a flood. */
const eventPauseMs = 1000;

/**
 * Carries out what an app server asks over one link. Requests are handed to the router in the order they came, one after
 * another without a pause, for its promise of order is for calls made so.
 */
export class LinkRequests {
  readonly #options: LinkRequestsOptions;
  readonly #lastTold = new Map<EventKind, number>();

  constructor(options: LinkRequestsOptions) {
    this.#options = options;
  }

  /** Sends. What cannot be sent is counted and told by ServiceEvent. */
  send(message: ServiceMessageOf<SendKind>): void {
    const { names, hub, events } = this.#options;
    try {
      const span = this.#span(message);
      for (const command of sendsOf(message, names, hub)) void this.#route(command, span);
    } catch (error) {
      events.dropped('invalid', 1);
      this.#refused(error);
    }
  }

  #span({ kind, extensions }: ServiceMessageOf<SendKind | QuestionKind>): Span | undefined {
    const tracingId = extensions?.tracingId;
    if (tracingId === undefined) return undefined;
    const cause = traceOfTracingId(tracingId);
    return cause && this.#options.tracing?.begin(`link ${kind}`, 'server', cause);
  }

  async #route(command: Send, span: Span | undefined): Promise<void> {
    try {
      await this.#options.router.send(command, 'link', span?.trace);
      span?.end({ hub: command.hub, link: this.#options.link });
    } catch (error) {
      this.#refused(error); // counted by whoever refused it
    }
  }

  /** Asks, and acknowledges on this link when the message wants it. */
  ask(message: ServiceMessageOf<QuestionKind>): void {
    const { names, hub, events, now } = this.#options;
    const ack = 'ackId' in message && message.ackId !== undefined ? { id: message.ackId, since: now() } : undefined;
    try {
      void this.#question(questionOf(message, names, hub), ack, this.#span(message));
    } catch (error) {
      if (ack !== undefined) {
        this.#acknowledge(ack, this.#failed(error));
        return;
      }
      events.dropped('invalid', 1);
      this.#refused(error);
    }
  }

  async #question(question: Question, ack: WantedAck | undefined, span: Span | undefined): Promise<void> {
    try {
      const reply = await this.#options.router.ask(question, 'link', span?.trace);
      span?.end({ hub: question.hub, link: this.#options.link, reply });
      if (ack !== undefined) this.#acknowledge(ack, replies[reply]);
    } catch (error) {
      if (ack === undefined) this.#refused(error);
      else this.#acknowledge(ack, this.#failed(error));
    }
  }

  #acknowledge({ id: ackId, since }: WantedAck, fields: AckFields): void {
    const { events, now, say } = this.#options;
    events.acknowledged(statusWords[fields.status] ?? 'error', (now() - since) / 1000);
    say({ kind: 'Ack', ackId, ...fields });
  }

  #failed(error: unknown): AckFields {
    const known = this.#known(error);
    const status = passing.has(known.code) ? ackStatuses.timeout : ackStatuses.internalServerError;
    return { status, message: known.message };
  }

  #refused(error: unknown): void {
    const { code, message } = this.#known(error);
    const kind = told[code];
    if (kind !== undefined) this.#tell(kind, message);
  }

  /** A defect is logged, and told as such. */
  #known(error: unknown): GatewayError {
    if (error instanceof GatewayError) return error;
    const { log, hub, link } = this.#options;
    log.error('a request of a link failed', { hub, link, error: error instanceof Error ? error : String(error) });
    return new GatewayError('internal', 'the gateway failed; its log has more');
  }

  #tell(kind: EventKind, message: string): void {
    const { now, say, link } = this.#options;
    const last = this.#lastTold.get(kind);
    if (last !== undefined && now() - last < eventPauseMs) return;
    this.#lastTold.set(kind, now());
    say({
      kind: 'ServiceEvent',
      objectType: eventObjects.serverConnection,
      id: link,
      eventKind: eventKinds[kind],
      message,
    });
  }
}
