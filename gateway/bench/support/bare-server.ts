import { loadNative, type NativeResponse, type NativeSocket } from '../../dist/http-native.js';
import { serve } from './child.ts';
import { settledUsage, usage } from './usage.ts';

/** What uWebSockets.js does alone: the same wire, and nothing of a service behind it. */

const native = await loadNative();
const app = native.App();
const topic = 'all';
const answer = '{}\x1e';
const sockets = new Set<NativeSocket<object>>();

app.ws<object>('/client/', {
  idleTimeout: 0,
  maxBackpressure: 1024 * 1024,
  sendPingsAutomatically: false,
  message(socket) {
    socket.send(answer);
    if (process.env['BARE_TOPICS'] === 'no') return;
    socket.subscribe(topic);
    sockets.add(socket);
  },
  close: (socket) => void sockets.delete(socket),
});

app.post('/*', (response: NativeResponse, request) => {
  request.getHeader('authorization');
  const pieces: Buffer[] = [];
  response.onAborted(() => undefined);
  response.onData((piece, last) => {
    pieces.push(Buffer.from(piece.slice(0)));
    if (!last) return;
    JSON.parse(Buffer.concat(pieces).toString());
    response.cork(() => response.writeStatus('202 Accepted').end(''));
  });
});

const port = await new Promise<number>((resolve) => {
  app.listen('127.0.0.1', 0, native.LIBUS_LISTEN_EXCLUSIVE_PORT, (listener) => {
    if (listener === false) throw new Error('no free port');
    resolve(native.us_socket_local_port(listener));
  });
});

interface Broadcast {
  readonly text: string;
  readonly perTurn: number;
  /** By a native topic, or socket by socket in a cork. */
  readonly way: 'publish' | 'loop';
}

serve({
  port: () => port,
  usage,
  settledUsage,
  broadcast({ text, perTurn, way }: Broadcast) {
    const bytes = Buffer.from(text);
    if (way === 'publish') {
      for (let i = 0; i < perTurn; i++) app.publish(topic, bytes, false);
      return;
    }
    for (const socket of sockets) {
      socket.cork(() => {
        for (let i = 0; i < perTurn; i++) socket.send(bytes, false);
      });
    }
  },
});
