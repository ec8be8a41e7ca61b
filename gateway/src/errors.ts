/** The one table of errors: what is refused, with which code, status and text. `docs/errors.md` is made from it. */

interface ErrorRow {
  /** HTTP status of the answer. */
  readonly status: number;
  /** `x-ms-error-code` and `code` of the body: `{Level}.{Scope}.{Kind}`, but for two (REST reference, sections 7 and 5). */
  readonly rest: string;
  /** May the same request be sent again, unchanged, with a chance of success? */
  readonly retry: boolean;
  /** What it means and what to do, for the docs. The text of an answer names the value as well. */
  readonly doc: string;
}

export const errors = {
  request_framing: {
    status: 400,
    rest: 'Error.Request.Invalid',
    retry: false,
    doc: 'More than one Content-Length, one that is not digits, or a Transfer-Encoding other than chunked. The socket is closed.',
  },
  request_invalid: {
    status: 400,
    rest: 'Error.Request.Invalid',
    retry: false,
    doc: 'A query parameter, header or body breaks the rule that the text names.',
  },
  hub_invalid: {
    status: 400,
    rest: 'Error.Request.Invalid',
    retry: false,
    doc: 'A hub or application name must be 1 to 128 characters: a letter, then letters, digits or _`,.[].',
  },
  name_invalid: {
    status: 400,
    rest: 'Error.Request.Invalid',
    retry: false,
    doc: 'A group, user or connection name is empty or longer than its setting allows.',
  },
  version_unknown: {
    status: 400,
    rest: 'Error.Request.Invalid',
    retry: false,
    doc: 'An api-version that this gateway does not know.',
  },
  client_failed: {
    status: 400,
    rest: 'Error.Connection.Failed',
    retry: false,
    doc: 'The client that was invoked answered with an error, or ended before it answered. The text is its own.',
  },
  unauthorized: {
    status: 401,
    rest: 'Error.Request.Unauthorized',
    retry: false,
    doc: 'The token is missing, wrong, expired, or meant for something else. The text says which, never why the signature failed.',
  },
  forbidden_origin: {
    status: 403,
    rest: 'Error.Request.Forbidden',
    retry: false,
    doc: 'The Origin of a browser is not in SIGNALBOX_CORS_ORIGINS.',
  },
  forbidden_host: {
    status: 403,
    rest: 'Error.Request.Forbidden',
    retry: false,
    doc: 'The Host header names neither loopback, an IP address, the address of the admin port, nor one of SIGNALBOX_ADMIN_HOSTS: a page of a foreign site may be behind it.',
  },
  admin_off: {
    status: 403,
    rest: 'Error.Request.Forbidden',
    retry: false,
    doc: "SIGNALBOX_ADMIN_TOKEN is not set, so there is no operators' page; or this is the common port of several workers, each of which has the page on the port behind it.",
  },
  payloads_off: {
    status: 403,
    rest: 'Error.Request.Forbidden',
    retry: false,
    doc: 'An operator asked for payloads, and SIGNALBOX_ADMIN_PAYLOAD_BYTES is 0.',
  },
  user_mismatch: {
    status: 403,
    rest: 'Error.Request.Forbidden',
    retry: false,
    doc: "The bearer's user is not the user that the connection token was made for.",
  },
  login_user_mismatch: {
    status: 403,
    rest: 'ConnectionUserMismatch',
    retry: false,
    doc: 'The claims of a renewed login would make another user of the connection.',
  },
  login_unknown: {
    status: 404,
    rest: 'ConnectionNotFound',
    retry: false,
    doc: 'No connection has this token, or the gateway keeps no claims of it: its hub is serverless.',
  },
  route_unknown: { status: 404, rest: 'Error.Request.NotFound', retry: false, doc: 'No operation has this path.' },
  not_supported: {
    status: 404,
    rest: 'Error.Request.NotSupported',
    retry: false,
    doc: 'Azure SignalR Service has this operation and the gateway has not; the text says why.',
  },
  connection_unknown: {
    status: 404,
    rest: 'Warning.Connection.NotExisted',
    retry: false,
    doc: 'No such connection in this hub.',
  },
  connection_to_join_unknown: {
    status: 404,
    rest: 'Error.Connection.NotExisted',
    retry: false,
    doc: 'A connection that does not exist cannot join a group.',
  },
  user_unknown: {
    status: 404,
    rest: 'Warning.User.NotExisted',
    retry: false,
    doc: 'The user has no connection in this hub.',
  },
  group_unknown: {
    status: 404,
    rest: 'Warning.Group.NotExisted',
    retry: false,
    doc: 'The group has no member connection in this hub.',
  },
  user_not_in_group: {
    status: 404,
    rest: 'Info.User.NotInGroup',
    retry: false,
    doc: 'The user has neither a standing membership nor a connection in the group.',
  },
  connection_token_unknown: {
    status: 404,
    rest: 'Warning.Connection.NotExisted',
    retry: false,
    doc: 'The id in the URL is no connection token of this service, or is too old.',
  },
  method_not_allowed: {
    status: 405,
    rest: 'Error.Request.MethodNotAllowed',
    retry: false,
    doc: 'The path exists, but not with this method.',
  },
  connection_in_use: {
    status: 409,
    rest: 'Error.Connection.Conflict',
    retry: false,
    doc: 'The connection token was used before: one connection, one transport.',
  },
  too_large: {
    status: 413,
    rest: 'Error.Request.TooLarge',
    retry: false,
    doc: 'The body, or the message made of it, is above SIGNALBOX_MESSAGE_BYTES; of many messages, above SIGNALBOX_BATCH_BYTES.',
  },
  media_type: {
    status: 415,
    rest: 'Error.Request.UnsupportedMediaType',
    retry: false,
    doc: 'The Content-Type is none that the operation takes, or its charset is not UTF-8; the text names those it takes.',
  },
  limit_reached: {
    status: 429,
    rest: 'Error.Request.Throttled',
    retry: true,
    doc: 'A limit of the settings was reached; the text names it.',
  },
  internal: {
    status: 500,
    rest: 'Error.Request.Internal',
    retry: false,
    doc: 'A defect of the gateway; its log has more.',
  },
  backplane_down: {
    status: 503,
    rest: 'Error.Request.Unavailable',
    retry: true,
    doc: 'Redis is known down and nobody here was meant.',
  },
  backplane_full: {
    status: 503,
    rest: 'Error.Request.Unavailable',
    retry: true,
    doc: 'Redis does not take more: SIGNALBOX_BACKPLANE_QUEUE_BYTES or _MS was reached. The message was not sent.',
  },
  no_answer: {
    status: 503,
    rest: 'Error.Request.Unavailable',
    retry: true,
    doc: 'A node that may know did not answer within SIGNALBOX_ASK_MS (a POST of a client: 10 s), or is still coming back to Redis.',
  },
  no_link: {
    status: 503,
    rest: 'Error.Request.Unavailable',
    retry: true,
    doc: 'No app server is connected to this hub, and only app servers may run it.',
  },
  issuer_down: {
    status: 503,
    rest: 'Error.Request.Unavailable',
    retry: true,
    doc: 'The keys of the outside issuer of a token cannot be fetched, or are older than SIGNALBOX_ISSUER_STALE_MS; the log says why.',
  },
  draining: { status: 503, rest: 'Error.Request.Unavailable', retry: true, doc: 'This node is stopping.' },
  client_timeout: {
    status: 504,
    rest: 'Error.Connection.Timeout',
    retry: false,
    doc: 'The client that was invoked did not answer within SIGNALBOX_INVOKE_MS; its method may have run.',
  },
} as const satisfies Record<string, ErrorRow>;

/** The code of a refusal: one key of {@link errors}. */
export type ErrorCode = keyof typeof errors;

/** The one error class: something was refused, with a code of the table and a sentence for people. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  /** HTTP status of the refusal. */
  get status(): number {
    return errors[this.code].status;
  }
}
