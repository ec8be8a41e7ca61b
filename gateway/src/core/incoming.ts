import type { Origin } from '../backplane/bus.ts';
import type { Events } from '../observe/events.ts';
import { readTraceparent, type Trace } from '../observe/trace.ts';
import type { Command } from '../protocol/command.ts';
import { decodeCommand } from '../protocol/command-codec.ts';
import type { Asks } from './ask.ts';
import type { ClientRequests } from './client-requests.ts';
import type { Dispatch } from './dispatch.ts';
import type { Inquiries } from './inquiries.ts';
import type { Invocations } from './invocations.ts';
import type { Logins } from './logins.ts';
import type { Nodes } from './nodes.ts';
import type { Operators } from './operators.ts';
import type { Streams } from './streams.ts';

export interface IncomingOptions {
  readonly dispatch: Dispatch;
  readonly asks: Asks;
  readonly events: Events;
  readonly streams: Pick<Streams, 'take'>;
  readonly nodes: Pick<Nodes, 'heard'>;
  readonly inquiries: Pick<Inquiries, 'take'>;
  readonly logins: Pick<Logins, 'take'>;
  readonly clientRequests: Pick<ClientRequests, 'take'>;
  readonly operators: Pick<Operators, 'take'>;
  readonly invocations: Pick<Invocations, 'take' | 'completed' | 'takeCompleted'>;
  /** Bytes that are no command came from a node: a defect or a stranger in Redis. */
  readonly malformed: (node: string, error: unknown) => void;
}

/** What comes from the backplane → the connections here, or the question that waits for it. */
export class Incoming {
  readonly #options: IncomingOptions;

  constructor(options: IncomingOptions) {
    this.#options = options;
  }

  /** Commands of one envelope, in order. */
  commands(from: Origin, commands: readonly Uint8Array[]): void {
    const cause = readTraceparent(from.trace);
    for (const bytes of commands) {
      const command = this.#decode(from, bytes);
      if (command !== undefined) this.#take(from, command, cause);
    }
  }

  #decode(from: Origin, bytes: Uint8Array): Command | undefined {
    try {
      const command = decodeCommand(bytes);
      if (command === undefined) this.#options.events.dropped('unknown_version', 1);
      return command;
    } catch (error) {
      this.#options.events.dropped('unknown_version', 1);
      this.#options.malformed(from.node, error);
      return undefined;
    }
  }

  #take(from: Origin, command: Command, cause: Trace | undefined): void {
    const { asks, clientRequests, dispatch, inquiries, invocations, logins, nodes, operators, streams } = this.#options;
    switch (command.kind) {
      case 'answer':
        asks.answer(command.id, command.verdict, command.detail);
        return;
      case 'news':
        nodes.heard(command);
        return;
      case 'list':
      case 'count':
        inquiries.take(command);
        return;
      case 'login':
        logins.take(command);
        return;
      case 'invoke':
        dispatch.inOrder(command.hub, () => invocations.take(command));
        return;
      case 'answered':
        invocations.completed(command.connection, command.invocationId, command.outcome);
        return;
      case 'completed':
        invocations.takeCompleted(command);
        return;
      case 'locate':
      case 'clientRequest':
      case 'clientAnswer':
      case 'clientTaken':
        clientRequests.take(command);
        return;
      case 'survey':
      case 'lookup':
      case 'follow':
      case 'unfollow':
      case 'followed':
        operators.take(command);
        return;
      case 'streamOpen':
      case 'streamExpect':
      case 'streamClaims':
      case 'streamUp':
      case 'streamDown':
      case 'streamLeft':
      case 'streamEnded':
        dispatch.inOrder(command.hub, () => streams.take(command));
        return;
      default:
        if (command.kind !== 'send' && from.own && command.ask && asks.answerEcho(command.ask)) return;
        dispatch.deliver(command, cause);
    }
  }
}
