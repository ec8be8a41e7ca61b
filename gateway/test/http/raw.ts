import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A TCP connection that says exactly what it is told, for what no HTTP client would send. */
export interface Raw {
  readonly socket: Socket;
  /** All that came so far. */
  text(): string;
  write(text: string): void;
  /** Resolves when `part` has come; rejects when the server closes before. */
  until(part: string): Promise<string>;
  /** Resolves with all that came when the server has closed. */
  closed(): Promise<string>;
}

/** Connects, and writes `text`. */
export async function raw(port: number, text = ''): Promise<Raw> {
  const socket = connect(port, '127.0.0.1');
  let came = '';
  socket.on('data', (bytes: Buffer) => {
    came += bytes.toString('latin1');
    socket.emit('came');
  });
  // A reset is a way of closing: `closed` says what came before.
  socket.on('error', () => socket.destroy());
  // Not `once` of node:events, which a reset would make reject.
  const over = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  return {
    socket,
    text: () => came,
    write: (more) => void socket.write(more),
    async until(part) {
      while (!came.includes(part)) {
        if (socket.destroyed)
          throw new Error(`closed before ${JSON.stringify(part)} came, but: ${JSON.stringify(came)}`);
        await Promise.race([once(socket, 'came'), over]);
      }
      return came;
    },
    async closed() {
      await over;
      return came;
    },
  };
}

/** The head of a request, with `Host` and these lines. */
export function head(request: string, ...lines: string[]): string {
  return [`${request} HTTP/1.1`, 'Host: gateway', ...lines, '', ''].join('\r\n');
}

/** The head of a WebSocket upgrade; a line given replaces the one of the same name. */
export function upgradeHead(target: string, ...lines: string[]): string {
  const usual = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ];
  const given = new Set(lines.map((line) => line.slice(0, line.indexOf(':'))));
  return head(`GET ${target}`, ...usual.filter((line) => !given.has(line.slice(0, line.indexOf(':')))), ...lines);
}
