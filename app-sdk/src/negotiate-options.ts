/** Who the client is and how it may connect. Absent `userId`: anonymous. Absent `claims`: none. */
export interface NegotiateOptions {
  userId?: string;
  /** For the hub. The names that tokens need for themselves are carried escaped; `asrs.s.*` is refused. */
  claims?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** How long the token can be used to connect; default 3600. An open connection outlives it. */
  lifetimeSeconds?: number;
  /** Default: all. */
  transports?: readonly ('WebSockets' | 'ServerSentEvents' | 'LongPolling')[];
  /** Whether the client is shown error details, such as reasons of closes. */
  detailedErrors?: boolean;
  diagnostic?: boolean;
  /** For log correlation; default: a running number. */
  requestId?: string;
  /** The end of the user's own login: the connection is closed then. */
  closeOnAuthExpiration?: Date;
  /** 1–30, default 15, which also stands for what is out of range. */
  handshakeTimeoutSeconds?: number;
  /** 1–300: how long a long-polling client may be without a poll. */
  longPollingTimeoutSeconds?: number;
  /** To this `AppServer`; refused where there is none. */
  stickiness?: 'preferred' | 'required';
  /** The client's: path and query go along to `context`; handlers fill it in. */
  request?: { readonly url?: string | undefined };
}

/** The answer that sends a client on to the service. */
export interface NegotiateResponse {
  negotiateVersion: 0;
  url: string;
  accessToken: string;
  availableTransports: [];
}
