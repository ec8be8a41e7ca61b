import type { CheckedAddress, Spot } from './address.ts';
import { SignalboxError } from './errors.ts';
import type { Answer, Command, Frames, Gateway, ListedConnection, ListOptions, Question } from './hub/gateway.ts';
import type { CallOptions } from './hub-context.ts';
import type { Ack, Acknowledged, LinkAcks } from './link-acks.ts';
import { commandMessage, sendMessage } from './link-messages.ts';
import { checkPageSize, notSupported } from './manager-checks.ts';
import { type ServiceMessage, writeServiceMessage } from './protocol/service.ts';
import { readMemberPage } from './protocol/service-payloads.ts';

/** Tells which link took a message. */
export type Taken = (link: object) => void;

/** Where messages go: one link, or whichever carries what comes from outside of calls. */
export interface Way {
  /** Takes a place in line before it returns; resolves when there is room for more. Rejects with `SignalboxError`. */
  put(frame: Uint8Array, options?: CallOptions, taken?: Taken): Promise<void>;
}

/** What a gateway is made of. */
export interface LinkGatewayParts {
  readonly way: Way;
  readonly acks: LinkAcks;
  readonly serverId: string;
  /** The hub protocol of a client of this server. */
  protocolOf(connectionId: string): string | undefined;
}

/** What a hub asks of the service, as messages of the service protocol. */
export class LinkGateway implements Gateway {
  readonly #parts: LinkGatewayParts;

  constructor(parts: LinkGatewayParts) {
    this.#parts = parts;
  }

  async send(to: CheckedAddress, frames: Frames, options?: CallOptions): Promise<void> {
    await this.#parts.way.put(writeServiceMessage(sendMessage(to, frames)), options);
  }

  async command(command: Command): Promise<boolean> {
    const { ok } = await this.#acknowledged(command.kind, (ackId) => commandMessage(command, ackId));
    return ok;
  }

  async invoke({ invocationId, connectionId, frames }: Question, options?: CallOptions): Promise<void> {
    const { way, serverId } = this.#parts;
    const message = { invocationId, connectionId, callerServerId: serverId, payloads: frames };
    await way.put(writeServiceMessage({ kind: 'ClientInvocation', ...message }), options);
  }

  answer({ invocationId, connectionId, protocol, frame = none }: Answer): void {
    const { way, serverId, protocolOf } = this.#parts;
    const spoken = protocol ?? protocolOf(connectionId) ?? 'json';
    const message: ServiceMessage = {
      kind: 'ClientCompletion',
      invocationId,
      connectionId,
      callerServerId: serverId,
      protocol: spoken,
      payload: frame,
      extensions: { protocol: spoken },
    };
    way.put(writeServiceMessage(message)).catch(unanswered);
  }

  /** Members of a group, page by page. */
  async *list(spot: Spot, { pageSize, signal }: ListOptions): AsyncGenerator<ListedConnection> {
    if (spot.place !== 'group') return await notSupported(`connections.list of ${spot.place}`);
    const maxPageSize = checkPageSize(pageSize);
    let continuationToken: string | undefined;
    do {
      const page = await this.#members(spot.id, maxPageSize, continuationToken, signal);
      for (const { connectionId, userId } of page.members) {
        yield userId === undefined ? { connectionId } : { connectionId, userId };
      }
      continuationToken = page.continuationToken;
    } while (continuationToken !== undefined);
  }

  async #members(group: string, maxPageSize: number, continuationToken: string | undefined, signal?: AbortSignal) {
    if (signal?.aborted) {
      throw new SignalboxError('ERR_ABORTED', 'given up between two pages', { cause: signal.reason });
    }
    const { payload } = await this.#acknowledged('list', (ackId) => ({
      kind: 'GroupMemberQuery',
      group,
      ackId,
      maxPageSize,
      continuationToken,
    }));
    if (payload === undefined) return { members: [], continuationToken: undefined };
    try {
      return readMemberPage(payload);
    } catch (cause) {
      throw new SignalboxError('ERR_UNAVAILABLE', 'list: the answer cannot be read', { outcome: 'unknown', cause });
    }
  }

  /** Once more when the link is lost that took it; by then the way leads to another. */
  async #acknowledged(what: string, make: (ackId: number) => ServiceMessage): Promise<Acknowledged> {
    try {
      return await this.#ask(what, make);
    } catch (error) {
      if (!(error instanceof SignalboxError) || error.code !== 'ERR_LINK_LOST') throw error;
      return await this.#ask(what, make);
    }
  }

  async #ask(what: string, make: (ackId: number) => ServiceMessage): Promise<Acknowledged> {
    const ack: Ack = this.#parts.acks.open(what);
    try {
      await this.#parts.way.put(writeServiceMessage(make(ack.id)), undefined, (link) => {
        ack.carrier = link;
      });
    } catch (error) {
      ack.drop();
      throw error;
    }
    return await ack.done;
  }
}

const none = new Uint8Array(0);

function unanswered(): void {
  // The server that asked has its own deadline.
}
