import { type HubMessage, handshakeRequest, hubProtocol, recordSeparator } from '@signalbox/app-sdk/protocol';
import type { Clients } from '../../src/core/clients.ts';
import type { Connection, Identity } from '../../src/core/connection.ts';
import type { Frame } from '../../src/core/transport.ts';
import { Changes } from './changes.ts';
import { FakeTransport } from './fake-transport.ts';

/** A client without a socket: speaks the hub protocol with the core, and keeps what it was sent. */
export class FakeClient extends Changes {
  readonly transport: FakeTransport;
  readonly connection: Connection;
  /** Its handshake was answered with this record; undefined before. */
  answer: string | undefined;
  /** Hub messages behind the handshake response, in order. */
  readonly messages: HubMessage[] = [];
  /** First arguments of the invocations among them. */
  readonly heard: unknown[] = [];
  readonly #clients: Clients;
  readonly #protocol: 'json' | 'messagepack';

  constructor(clients: Clients, identity: Identity, protocol: 'json' | 'messagepack' = 'json') {
    super();
    this.#clients = clients;
    this.#protocol = protocol;
    this.transport = new FakeTransport((frame) => this.#heard(frame));
    this.connection = clients.arrive(identity, this.transport);
  }

  get id(): string {
    return this.connection.id;
  }

  /** Sends the handshake request and waits for the answer. */
  async shakeHands(): Promise<this> {
    this.say(handshakeRequest(this.#protocol, 1));
    await this.until(() => this.answer !== undefined);
    return this;
  }

  /** Sends bytes, or text, as one unit of the transport. */
  say(bytes: Uint8Array | string): void {
    const unit = typeof bytes === 'string' ? Buffer.from(bytes) : Uint8Array.from(bytes);
    this.#clients.received(this.connection, unit);
    unit.fill(0); // a transport's bytes are valid during the call only
  }

  /** Sends a hub message. */
  send(message: HubMessage): void {
    this.say(hubProtocol(this.#protocol)!.write(message));
  }

  /** The wire is cut. */
  leave(): void {
    this.connection.gone();
  }

  /** Resolves once it was sent an invocation with this first argument. */
  hears(argument: unknown): Promise<void> {
    return this.until(() => this.heard.lastIndexOf(argument) >= 0);
  }

  #heard({ bytes }: Frame): void {
    if (this.answer === undefined)
      this.answer = Buffer.from(bytes.subarray(0, bytes.indexOf(recordSeparator))).toString();
    else this.#parse(bytes);
    this.changed();
  }

  #parse(bytes: Uint8Array): void {
    const protocol = hubProtocol(this.#protocol)!;
    for (const record of protocol.split({ limit: Number.POSITIVE_INFINITY }).push(bytes)) {
      const message = protocol.parse(record);
      if (message !== undefined) this.messages.push(message);
      if (message?.kind === 'invocation') this.heard.push(message.arguments[0]);
    }
  }
}
