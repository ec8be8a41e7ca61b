import {
  type HttpClient,
  type HttpTransportType,
  type HubConnection,
  HubConnectionBuilder,
  type IRetryPolicy,
  LogLevel,
} from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import type { NegotiateResponse } from '@signalbox/app-sdk';
import { Inbox } from './inbox.ts';

/** A hub protocol that the official clients speak. */
export type ProtocolName = 'json' | 'messagepack';

/** Where an official client connects: what an app's negotiate answers, or the same without an app. */
export interface Where extends Pick<NegotiateResponse, 'url'> {
  /** A token, or who makes one for each negotiation. */
  readonly accessToken: string | (() => Promise<string>);
}

/** How an official client connects. */
export interface OfficialOptions {
  readonly protocol?: ProtocolName;
  /** By this transport only. Default: whichever the service offers and the way allows. */
  readonly transport?: HttpTransportType;
  /** In place of the usual one, to see what is asked and answered. */
  readonly httpClient?: HttpClient;
  /** Without negotiation, which WebSockets alone can do. */
  readonly skipNegotiation?: boolean;
  /** With automatic reconnect, by this policy. */
  readonly reconnect?: IRetryPolicy;
}

/** The official JavaScript client, unmodified, with a record of what it heard. */
export class OfficialClient {
  readonly connection: HubConnection;
  /** First arguments of the invocations of `news` and `fence`, in order. */
  readonly inbox = new Inbox<unknown>();
  /** Resolves when the connection is over, with the error it was closed with. */
  readonly closed: Promise<Error | undefined>;
  /** Ids after each return. */
  readonly returns = new Inbox<string | undefined>();

  private constructor(where: Where, options: OfficialOptions) {
    const { url, accessToken } = where;
    const builder = new HubConnectionBuilder()
      .withUrl(url, {
        accessTokenFactory: typeof accessToken === 'string' ? () => accessToken : accessToken,
        ...(options.transport !== undefined && { transport: options.transport }),
        ...(options.skipNegotiation && { skipNegotiation: true }),
        ...(options.httpClient !== undefined && { httpClient: options.httpClient }),
      })
      .configureLogging(LogLevel.None);
    if (options.protocol === 'messagepack') builder.withHubProtocol(new MessagePackHubProtocol());
    if (options.reconnect !== undefined) builder.withAutomaticReconnect(options.reconnect);
    this.connection = builder.build();
    for (const target of ['news', 'fence']) this.connection.on(target, (first: unknown) => this.inbox.add(first));
    this.closed = new Promise((resolve) => this.connection.onclose(resolve));
    this.connection.onreconnected((id) => this.returns.add(id));
  }

  /** Connects with the answer of an app's negotiate: negotiation with the service, WebSocket, handshake. */
  static async connect(where: Where, options: OfficialOptions = {}): Promise<OfficialClient> {
    const client = new OfficialClient(where, options);
    await client.connection.start();
    return client;
  }

  get id(): string {
    return this.connection.connectionId ?? '';
  }

  /** Resolves when this came. */
  heard(first: unknown, deadlineMs?: number): Promise<void> {
    return this.inbox.one(JSON.stringify(first), (item) => item === first, deadlineMs);
  }

  stop(): Promise<void> {
    return this.connection.stop();
  }
}
