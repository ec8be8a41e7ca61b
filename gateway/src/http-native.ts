import type {
  HttpRequest,
  HttpResponse,
  TemplatedApp,
  us_listen_socket,
  us_socket_context_t,
  WebSocket,
} from 'uWebSockets.js';
import { ConfigError } from './config.ts';

/** Largest request head in bytes: a client token of 4 KB may stand in the query (negotiate reference, section 10). */
export const headBytes = 16_384;

/** uWebSockets.js, with what its types leave out. All access goes through here. */
export interface Native {
  App(): NativeApp;
  /** @throws {Error} when the files are no certificate and its key. */
  SSLApp(options: { cert_file_name: string; key_file_name: string; passphrase?: string }): NativeApp;
  us_listen_socket_close(socket: us_listen_socket): void;
  us_socket_local_port(socket: us_listen_socket): number;
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number;
}

export type NativeApp = Omit<TemplatedApp, 'listen'> & {
  listen(host: string, port: number, options: number, done: (socket: us_listen_socket | false) => void): void;
};

/** Valid only until the handler returns. */
export type NativeRequest = HttpRequest;
/** Valid until answered or aborted; any other use throws. */
export type NativeResponse = HttpResponse;
export type NativeContext = us_socket_context_t;
export type NativeListener = us_listen_socket;
export type NativeSocket<T> = WebSocket<T>;

const importNative = async (): Promise<unknown> => import('uWebSockets.js');

/**
 * Loads the native part once; later calls give the same.
 * @throws {ConfigError} one line with the remedy when there is no binary for this Node.
 */
export async function loadNative(load: () => Promise<unknown> = importNative): Promise<Native> {
  // Read by the native part when it is loaded, never again.
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] = String(headBytes);
  try {
    return (await load()) as Native;
  } catch {
    // The cause is a page of text that ends in the path of the missing file: all it says stands in this line.
    throw new ConfigError(
      `uWebSockets.js has no binary for Node ${process.version} on ${process.platform} ${process.arch}: ` +
        'use Node 18, 20, 21 or 22, or follow "Other Node versions" in README.md',
    );
  }
}
