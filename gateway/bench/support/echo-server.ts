import { loadNative, type NativeSocket } from '../../dist/http-native.js';
import { serve } from './child.ts';
import { accepted } from './echo-messages.ts';
import { usage } from './usage.ts';

/** An echo of uWebSockets.js alone: what came goes back, and nothing of it is read. */

interface Held {
  shaken: boolean;
}

const native = await loadNative();
const app = native.App();

app.ws<Held>('/client/', {
  idleTimeout: 0,
  maxBackpressure: 1024 * 1024,
  sendPingsAutomatically: false,
  message(socket: NativeSocket<Held>, bytes) {
    const held = socket.getUserData();
    socket.send(held.shaken ? bytes : accepted, false);
    held.shaken = true;
  },
});

const port = await new Promise<number>((resolve) => {
  app.listen('127.0.0.1', 0, native.LIBUS_LISTEN_EXCLUSIVE_PORT, (listener) => {
    if (listener === false) throw new Error('no free port');
    resolve(native.us_socket_local_port(listener));
  });
});

serve({ port: () => port, usage });
