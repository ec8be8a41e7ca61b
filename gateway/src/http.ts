/**
 * The manners of uWebSockets.js in one place: what is read before an `await`, aborted requests, corked answers, bounded
 * bodies, framing, upgrades. Handlers are plain async functions from a request to an answer.
 */
import { ConfigError } from './config.ts';
import { GatewayError } from './errors.ts';
import { errorAnswer, type HttpAnswer } from './http-answer.ts';
import { Exchange, type ExchangeOptions, type HttpRequest } from './http-exchange.ts';
import { TrustedProxies } from './http-forwarded.ts';
import {
  loadNative,
  type Native,
  type NativeApp,
  type NativeContext,
  type NativeListener,
  type NativeRequest,
  type NativeResponse,
} from './http-native.ts';
import { portToShare } from './http-ports.ts';
import type { TlsFiles } from './http-tls.ts';
import { checkUpgrade, type Held, type NativeDoor, nativeDoor, type SocketDoor } from './http-websocket.ts';

export { errorAnswer, type HttpAnswer, refusalHeaders } from './http-answer.ts';
export type { HttpRequest } from './http-exchange.ts';
export type { BodyStream } from './http-stream.ts';
export type { Socket, SocketDoor } from './http-websocket.ts';

/** Answers a request, or gives undefined when it is not its own. A thrown {@link GatewayError} becomes its answer. */
export type HttpHandler = (request: HttpRequest) => Promise<HttpAnswer> | HttpAnswer | undefined;

export interface HttpServerOptions {
  /** The most that is ever kept of one body, in bytes. */
  readonly bodyBytes: number;
  /** In place of `bodyBytes` where it gives a number. @param path as sent, not decoded */
  bodyBytesAt?(path: string): number | undefined;
  /** Do sockets stay for more requests on this path once {@link HttpServer.stopListening} was called? Default: none does. */
  staysAt?(path: string): boolean;
  /** Whose word is taken for where requests come from. Default: nobody's. */
  readonly trustedProxies?: TrustedProxies;
  /** Default: none, plain HTTP. */
  readonly tls?: TlsFiles | undefined;
  /** Something else than a {@link GatewayError} was thrown: a defect, to be logged. The request was answered with 500. */
  defect(error: unknown, facts: { readonly method: string; readonly path: string }): void;
}

/** A server on one port. Everything is mounted before {@link listen}. */
export interface HttpServer {
  /** Handlers are asked in the order mounted; nobody's request is 404 `route_unknown`. */
  mount(handler: HttpHandler): void;
  /** WebSockets on exactly these paths. Requests there that ask for no upgrade go to the handlers. */
  upgrade<T extends object>(paths: readonly string[], door: SocketDoor<T>): void;
  /**
   * @param port 0: any free one
   * @param exclusive refuse a port that another process listens on, instead of sharing it
   * @returns the port listened on
   * @throws {ConfigError} when the address cannot be listened on.
   */
  listen(host: string, port: number, exclusive: boolean): Promise<number>;
  /**
   * New sockets get the certificate that the files hold now; those that are there stay as they are.
   * @throws {Error} when uWebSockets.js cannot use it: the old one stays.
   */
  renewCertificate(): Promise<void>;
  /** Takes no new sockets; the next answer on one that is there is its last, unless `staysAt` says otherwise. */
  stopListening(): void;
  /** Resolves when every request that came is answered, event streams aside. */
  idle(): Promise<void>;
  /** Drops every socket at once. */
  close(): void;
}

/**
 * Makes a server.
 * @throws {ConfigError} when uWebSockets.js has no binary for this Node.
 */
export async function createHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  return new NativeServer(await loadNative(), options);
}

class NativeServer implements HttpServer {
  readonly #native: Native;
  readonly #options: HttpServerOptions;
  readonly #exchanges: ExchangeOptions;
  readonly #handlers: HttpHandler[] = [];
  /** What mounts each door on an app. */
  readonly #doors: ((app: NativeApp) => void)[] = [];
  /** The last one takes new sockets; each renewed certificate leaves one behind, with the sockets that it had. */
  readonly #apps: NativeApp[] = [];
  #listener: NativeListener | undefined;
  /** Was it told to take no new sockets? */
  #leaving = false;
  /** Requests without an answer. */
  #open = 0;
  readonly #toldIdle: (() => void)[] = [];
  #address = { host: '', port: 0 };

  constructor(native: Native, options: HttpServerOptions) {
    this.#native = native;
    this.#options = options;
    const { bodyBytes, trustedProxies = new TrustedProxies([]), tls } = options;
    const scheme = tls === undefined ? 'http' : 'https';
    this.#exchanges = {
      bodyBytes: (path) => options.bodyBytesAt?.(path) ?? bodyBytes,
      senderOf: (peer, header) => trustedProxies.sender({ peer, scheme, header }),
    };
  }

  mount(handler: HttpHandler): void {
    this.#handlers.push(handler);
  }

  upgrade<T extends object>(paths: readonly string[], door: SocketDoor<T>): void {
    for (const path of paths) this.#doors.push((app) => this.#mountDoor(app, path, door));
  }

  /** @throws {Error} when the certificate cannot be used. */
  #createApp(): NativeApp {
    const { tls } = this.#options;
    const app = tls === undefined ? this.#native.App() : this.#native.SSLApp(nativeTls(tls));
    app.any('/*', (response, request) => {
      const exchange = this.#begin(response, request);
      if (exchange !== undefined) void this.#serve(exchange);
    });
    for (const mount of this.#doors) mount(app);
    return app;
  }

  #mountDoor<T extends object>(app: NativeApp, path: string, door: SocketDoor<T>): void {
    const defect = (error: unknown): void => this.#options.defect(error, { method: 'GET', path });
    const native = nativeDoor(door, defect);
    app.ws<Held<T>>(path, {
      ...native.behaviour,
      upgrade: (response, request, context) => {
        const exchange = this.#begin(response, request);
        if (exchange !== undefined) void this.#upgrade(door, native, exchange, context);
      },
    });
  }

  /** The one gate of every request. Undefined: refused, or already gone wrong. */
  #begin(response: NativeResponse, request: NativeRequest): Exchange | undefined {
    try {
      const exchange = new Exchange(response, request, this.#exchanges);
      if (exchange.fault === undefined) return exchange;
      this.#refuseFraming(exchange, exchange.fault);
    } catch (error) {
      // A throw that reached uWebSockets.js here would end the process.
      this.#options.defect(error, { method: '', path: '' });
      response.close();
    }
    return undefined;
  }

  /**
   * Answered in a later turn: while a request is unanswered, uWebSockets.js closes the socket instead of running what
   * follows in the same read as the next request. (Answered at once with `Connection: close`, it ran: measured.)
   */
  #refuseFraming(exchange: Exchange, fault: string): void {
    setImmediate(() => void this.#finish(exchange, () => errorAnswer(new GatewayError('request_framing', fault))));
  }

  async #serve(exchange: Exchange): Promise<void> {
    this.#open++;
    const answer = await this.#answerOf(exchange);
    const last = this.#leaving && this.#options.staysAt?.(exchange.path) !== true;
    await this.#finish(exchange, () => (last ? { ...answer, close: true } : answer));
    if (--this.#open === 0) for (const told of this.#toldIdle.splice(0)) told();
  }

  /** Nothing thrown while an answer is made or written may become an unhandled rejection: it would end the process. */
  async #finish(exchange: Exchange, answer: () => HttpAnswer): Promise<void> {
    try {
      await exchange.answer(answer());
    } catch (error) {
      this.#options.defect(error, { method: exchange.method, path: exchange.path });
    }
  }

  async #answerOf(request: HttpRequest): Promise<HttpAnswer> {
    try {
      for (const handler of this.#handlers) {
        const answer = handler(request);
        if (answer !== undefined) return await answer;
      }
      throw new GatewayError('route_unknown', `no operation has the path ${request.path}`);
    } catch (error) {
      return errorAnswer(this.#known(error, request));
    }
  }

  async #upgrade<T extends object>(
    door: SocketDoor<T>,
    native: NativeDoor<T>,
    exchange: Exchange,
    context: NativeContext,
  ): Promise<void> {
    try {
      checkUpgrade(exchange);
      const held = await door.admit(exchange);
      native.open(() => exchange.upgrade({ held }, context));
    } catch (error) {
      await this.#finish(exchange, () => this.#upgradeRefusal(door, this.#known(error, exchange), exchange));
    }
  }

  #upgradeRefusal<T extends object>(door: SocketDoor<T>, error: GatewayError, request: HttpRequest): HttpAnswer {
    const answer = door.refusal?.(error, request) ?? errorAnswer(error);
    return { ...answer, headers: { ...answer.headers, 'Sec-WebSocket-Version': '13' } };
  }

  #known(error: unknown, request: HttpRequest): GatewayError {
    if (error instanceof GatewayError) return error;
    this.#options.defect(error, { method: request.method, path: request.path });
    return new GatewayError('internal', 'the gateway failed; its log has more');
  }

  async listen(host: string, port: number, exclusive: boolean): Promise<number> {
    // Who renews its certificate shares the port, with itself: that nobody else has it is looked at before.
    const renews = this.#options.tls !== undefined;
    const wanted = renews && exclusive ? await portToShare(host, port) : port;
    this.#listener = await this.#listenWith(this.#createApp(), host, wanted, exclusive && !renews);
    this.#address = { host, port: this.#native.us_socket_local_port(this.#listener) };
    return this.#address.port;
  }

  #listenWith(app: NativeApp, host: string, port: number, exclusive: boolean): Promise<NativeListener> {
    const mode = exclusive ? this.#native.LIBUS_LISTEN_EXCLUSIVE_PORT : 0;
    return new Promise((resolve, reject) => {
      app.listen(host, port, mode, (listener) => {
        if (listener === false)
          return reject(new ConfigError(`cannot listen on ${host}, port ${port}: taken, or no address here`));
        this.#apps.push(app);
        resolve(listener);
      });
    });
  }

  async renewCertificate(): Promise<void> {
    const before = this.#listener;
    if (before === undefined) return;
    const { host, port } = this.#address;
    const listener = await this.#listenWith(this.#createApp(), host, port, false);
    // Who stopped meanwhile closed the old one.
    if (this.#listener === before) this.#listener = listener;
    this.#native.us_listen_socket_close(this.#listener === listener ? before : listener);
  }

  stopListening(): void {
    this.#leaving = true;
    if (this.#listener === undefined) return;
    this.#native.us_listen_socket_close(this.#listener);
    this.#listener = undefined;
  }

  idle(): Promise<void> {
    if (this.#open === 0) return Promise.resolve();
    return new Promise((resolve) => this.#toldIdle.push(resolve));
  }

  close(): void {
    this.#listener = undefined;
    for (const app of this.#apps.splice(0)) app.close();
  }
}

function nativeTls({ certFile, keyFile, passphrase }: TlsFiles): Parameters<Native['SSLApp']>[0] {
  return { cert_file_name: certFile, key_file_name: keyFile, ...(passphrase !== undefined && { passphrase }) };
}
