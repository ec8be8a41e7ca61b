import type { Duplex } from 'node:stream';
import { type Dispatcher, WebSocket } from 'undici';
import { linkTimes } from './link-times.ts';

/** What a socket tells. `closed` comes once, and only after `openSocket` has resolved. */
export interface SocketEvents {
  message(bytes: Uint8Array): void;
  /** After `send` gave false: what was sent has left. */
  drained(): void;
  /** The status of the close frame; 1006 without one. */
  closed(code: number): void;
}

/** No WebSocket came about. `status`: of the HTTP answer, where there was one that is not 101. */
export class NoSocket extends Error {
  override readonly name = 'NoSocket';
  readonly status: number | undefined;

  constructor(status: number | undefined, cause: unknown) {
    super('no WebSocket was opened', { cause });
    this.status = status;
  }
}

/** Below a WebSocket: what undici's class keeps to itself. */
interface Underneath {
  status: number | undefined;
  error: unknown;
  socket: Duplex | undefined;
}

/** A WebSocket for bytes. */
export interface LinkSocket {
  /** Whether it takes bytes: not any more once either side has begun to close. */
  readonly open: boolean;
  /** Whether it has room for more; if not, `drained` follows. The bytes may be used again. */
  send(bytes: Uint8Array): boolean;
  /** Closes with status 1000; after 5 s without the service's answer the connection is cut. */
  close(): void;
  /** Cuts the connection. */
  destroy(): void;
}

/** Opens a WebSocket. Rejects with `NoSocket`, also when `signal` is aborted before. */
export function openSocket(
  url: string,
  { headers, dispatcher, signal }: { headers: Record<string, string>; dispatcher: Dispatcher; signal: AbortSignal },
  events: SocketEvents,
): Promise<LinkSocket> {
  const under: Underneath = { status: undefined, error: undefined, socket: undefined };
  const socket = new WebSocket(url, { headers, dispatcher: dispatcher.compose(watching(under)) });
  socket.binaryType = 'arraybuffer';
  return new Promise((resolve, reject) => {
    const giveUp = (): void => socket.close();
    const refused = (): void => reject(new NoSocket(under.status === 101 ? undefined : under.status, under.error));
    signal.addEventListener('abort', giveUp, { once: true });
    // Without a listener undici's error event would be thrown; `close` always follows it.
    socket.addEventListener('error', () => undefined);
    socket.addEventListener('close', refused);
    socket.addEventListener('open', () => {
      signal.removeEventListener('abort', giveUp);
      socket.removeEventListener('close', refused);
      listen(socket, under, events);
      resolve(linkSocket(socket, under));
    });
    if (signal.aborted) giveUp();
  });
}

/** Learns the status and the socket below, and asks for no compression, as the service protocol has it (3.1). */
function watching(under: Underneath): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => {
    const headers = { ...(options.headers as Record<string, string>) };
    delete headers['sec-websocket-extensions'];
    return dispatch(
      { ...options, headers },
      {
        onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
        onRequestUpgrade: (controller, status, answer, socket) => {
          under.status = status;
          under.socket = socket;
          return handler.onRequestUpgrade?.(controller, status, answer, socket);
        },
        onResponseStart: (controller, status, answer, text) => {
          under.status = status;
          handler.onResponseStart?.(controller, status, answer, text);
        },
        onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
        onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
        onResponseError: (controller, error) => {
          under.error ??= error;
          handler.onResponseError?.(controller, error);
        },
      },
    );
  };
}

function listen(socket: WebSocket, under: Underneath, events: SocketEvents): void {
  under.socket?.on('drain', () => events.drained());
  socket.addEventListener('message', ({ data }) => {
    // The service speaks bytes only: a text frame is a mistake that its framing cannot survive.
    if (data instanceof ArrayBuffer) events.message(new Uint8Array(data));
    else under.socket?.destroy();
  });
  socket.addEventListener('close', ({ code }) => events.closed(code));
}

function linkSocket(socket: WebSocket, under: Underneath): LinkSocket {
  const destroy = (): void => void under.socket?.destroy();
  return {
    get open() {
      return socket.readyState === socket.OPEN;
    },
    send(bytes) {
      socket.send(bytes);
      return under.socket?.writableNeedDrain !== true;
    },
    close() {
      const timer = setTimeout(destroy, linkTimes.close);
      socket.addEventListener('close', () => clearTimeout(timer));
      socket.close(1000);
    },
    destroy,
  };
}
