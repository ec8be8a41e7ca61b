import type { Config } from '../config.ts';
import type { Clients } from '../core/clients.ts';
import type { Connection } from '../core/connection.ts';
import { clientBatchBytes } from '../core/limits.ts';
import type { Frame, Transport } from '../core/transport.ts';
import type { Socket, SocketDoor } from '../http.ts';
import type { Events } from '../observe/events.ts';
import type { Admission, Gate } from './admit.ts';
import type { Cors } from './cors.ts';
import { clientRefusal } from './refusal.ts';

export interface WebSocketDoorOptions {
  readonly gate: Pick<Gate, 'admit'>;
  readonly cors: Cors;
  readonly events: Pick<Events, 'clientRefused'>;
  readonly clients: Clients;
  readonly config: Pick<Config, 'clientMessageBytes' | 'clientQueueBytes'>;
}

/** Clients over WebSocket: a transport per socket, messages and the end of it to the core. */
export function webSocketDoor(options: WebSocketDoorOptions): SocketDoor<WebSocketTransport> {
  const { gate, cors, events, clients, config } = options;
  return {
    maxPayloadBytes: clientBatchBytes(config.clientMessageBytes),
    maxBufferedBytes: config.clientQueueBytes,
    admit: async (request) => new WebSocketTransport(await gate.admit(request, 'WebSockets'), config.clientQueueBytes),
    refusal(error, request) {
      events.clientRefused(error.code);
      return clientRefusal(error, request, cors);
    },
    opened: (socket, transport) => transport.open(socket, clients),
    received: (transport, bytes) => transport.received(bytes, clients),
    closed: (transport) => transport.closed(),
  };
}

/** Sent and nothing buffered is 1, buffered 0. */
const dropped = 2;

/** Close code of an end that was meant (RFC 6455, section 7.4.1). */
const normalClosure = 1000;

// One cork callback for all sockets, for a closure per write would cost as much as the write saves.
let corkedSocket: Socket | undefined;
let corkedFrames: readonly Frame[] = [];
let corkedResult = 0;
const sendCorked = (): void => {
  for (const frame of corkedFrames) {
    corkedResult = corkedSocket?.send(frame.bytes, frame.binary) ?? dropped;
    if (corkedResult === dropped) return;
  }
};

/** The wire of one client; all that its socket carries. */
export class WebSocketTransport implements Transport {
  readonly kind = 'WebSockets';
  readonly #queueBytes: number;
  /** Undefined before `open` and after the end: any use of a closed socket throws. */
  #socket: Socket | undefined;
  #connection: Connection | undefined;
  /** Until the socket is open; then the connection has it. */
  #admission: Admission | undefined;

  constructor(admission: Admission, queueBytes: number) {
    this.#admission = admission;
    this.#queueBytes = queueBytes;
  }

  /** The socket is up: the client arrives. */
  open(socket: Socket, clients: Clients): void {
    const admission = this.#admission;
    if (admission === undefined) return;
    this.#admission = undefined;
    this.#socket = socket;
    this.#connection = clients.arrive(admission, this);
  }

  /** A message came. After {@link end} nothing more is read. */
  received(bytes: Uint8Array, clients: Clients): void {
    if (this.#socket === undefined || this.#connection === undefined) return;
    clients.received(this.#connection, bytes);
  }

  /** The socket is over, whoever ended it. */
  closed(): void {
    this.#socket = undefined;
    this.#connection?.gone();
    this.#connection = undefined;
  }

  write(frame: Frame): void {
    if (this.#socket?.send(frame.bytes, frame.binary) === dropped) this.#connection?.close('slow');
  }

  writeAll(frames: readonly Frame[]): void {
    if (this.#socket === undefined) return;
    corkedSocket = this.#socket;
    corkedFrames = frames;
    corkedSocket.cork(sendCorked);
    corkedSocket = undefined;
    corkedFrames = [];
    if (corkedResult === dropped) this.#connection?.close('slow');
  }

  buffered(): number {
    return this.#socket?.getBufferedAmount() ?? 0;
  }

  /**
   * Close code 1000 after what was written; a client that did not read what it may is cut off, which frees its queue at
   * once. Never called inside `cork`, where uWebSockets.js would throw away what waits: measured.
   */
  end(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#socket = undefined;
    if (socket.getBufferedAmount() > this.#queueBytes) socket.close();
    else socket.end(normalClosure);
  }
}
