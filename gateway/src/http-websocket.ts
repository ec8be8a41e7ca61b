import type { WebSocketBehavior } from 'uWebSockets.js';
import { GatewayError } from './errors.ts';
import type { HttpAnswer } from './http-answer.ts';
import type { HttpRequest } from './http-exchange.ts';
import type { NativeSocket } from './http-native.ts';

/**
 * What rides on a socket. One property, because `getUserData()` is the socket itself and each property more is paid for by
 * every connection.
 */
export interface Held<T> {
  held: T;
}

/** A WebSocket as its door sees it; any use after `closed` throws. */
export type Socket = NativeSocket<Held<unknown>>;

/** One kind of WebSocket: who is let in, and what happens then. Sub-protocols and compression are never agreed to. */
export interface SocketDoor<T extends object> {
  /** A longer message drops the TCP connection without a word: set it above the limit that is answered properly. */
  readonly maxPayloadBytes: number;
  /** Above so many unsent bytes, `send` drops what it is given and returns 2. */
  readonly maxBufferedBytes: number;
  /**
   * Decides about an upgrade request. What it resolves with comes back in the other calls.
   * @throws {GatewayError} to refuse.
   */
  admit(request: HttpRequest): Promise<T>;
  /** The answer to a refused upgrade. Default: {@link errorAnswer}. */
  refusal?(error: GatewayError, request: HttpRequest): HttpAnswer;
  /** The socket is up; called in the same turn in which `admit` resolved, unless the client has gone. */
  opened(socket: Socket, held: T): void;
  /** A whole message came; its bytes are valid only during the call. */
  received(held: T, bytes: Uint8Array, binary: boolean): void;
  /** Some of the unsent bytes left. */
  drained?(held: T): void;
  /** Over, whoever ended it. Called exactly once for each `opened`. */
  closed(held: T): void;
}

/** Close code after a defect of ours (RFC 6455, section 7.4.1). */
const internalError = 1011;

/** A door as uWebSockets.js sees it. */
export interface NativeDoor<T extends object> {
  readonly behaviour: WebSocketBehavior<Held<T>>;
  /** Runs an upgrade, and tells the door of the socket that came of it, if one did. */
  open(upgrade: () => void): void;
}

/**
 * What uWebSockets.js calls for a door. Nothing thrown by the door passes: it would end the process.
 *
 * An upgrade behind an `await` must not run inside `cork`. A WebSocket takes over the memory of its HTTP response, which is
 * larger, and the rest of it is freed; when the cork ends, uWebSockets.js looks for "close when answered" in that rest, and
 * cuts off a client that did nothing wrong when something else stands there by then (measured with Redis, where the answer
 * to a claim lies between: 6 of 200 clients with a cork, none of 400 without). The price is some small writes for each client.
 * @param defect is told what the door threw
 */
export function nativeDoor<T extends object>(door: SocketDoor<T>, defect: (error: unknown) => void): NativeDoor<T> {
  const fresh: NativeSocket<Held<T>>[] = [];
  const fail = (socket: NativeSocket<Held<T>>, error: unknown): void => {
    defect(error);
    try {
      socket.end(internalError);
    } catch {
      // The door had closed it before it threw.
    }
  };
  const behaviour: WebSocketBehavior<Held<T>> = {
    maxPayloadLength: door.maxPayloadBytes,
    maxBackpressure: door.maxBufferedBytes,
    closeOnBackpressureLimit: false,
    compression: 0,
    idleTimeout: 0,
    maxLifetime: 0,
    sendPingsAutomatically: false,
    // The door hears of its socket behind the upgrade, where a throw is ours to catch.
    open: fresh.push.bind(fresh) as (socket: NativeSocket<Held<T>>) => void,
    message(socket, bytes, binary) {
      try {
        door.received(socket.getUserData().held, new Uint8Array(bytes), binary);
      } catch (error) {
        fail(socket, error);
      }
    },
    drain(socket) {
      try {
        door.drained?.(socket.getUserData().held);
      } catch (error) {
        fail(socket, error);
      }
    },
    close(socket) {
      const at = fresh.indexOf(socket);
      if (at >= 0) {
        fresh.splice(at, 1); // closed inside its upgrade: the door has not heard of it, and never will
        return;
      }
      try {
        door.closed(socket.getUserData().held);
      } catch (error) {
        defect(error);
      }
    },
  };
  const open = (upgrade: () => void): void => {
    upgrade();
    const socket = fresh.pop();
    if (socket === undefined) return;
    try {
      door.opened(socket, socket.getUserData().held);
    } catch (error) {
      fail(socket, error);
    }
  };
  return { behaviour, open };
}

/** What uWebSockets.js leaves to us of the opening handshake (RFC 6455, section 4.2.1). */
export function checkUpgrade(request: HttpRequest): void {
  const version = request.header('sec-websocket-version');
  if (version !== '13') {
    throw new GatewayError(
      'request_invalid',
      `"Sec-WebSocket-Version" must be 13, got ${JSON.stringify(version ?? '')}`,
    );
  }
  const upgrade = request.header('upgrade') ?? '';
  if (upgrade.toLowerCase() !== 'websocket') {
    throw new GatewayError('request_invalid', `"Upgrade" must be websocket, got ${JSON.stringify(upgrade)}`);
  }
}
