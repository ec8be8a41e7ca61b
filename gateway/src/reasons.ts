/**
 * The one list of reasons. The same words stand in logs, metrics, docs and on the wire between nodes.
 * (`errors.ts` holds what is refused with a code; this file holds what ends or is lost after it was accepted, and why
 * tokens are not.)
 */

interface CloseRow {
  /** Text of the hub Close message; `undefined`: a Close without error. Only shown as it stands: never holds a secret. */
  readonly error: string | undefined;
  /** `allowReconnect` of the hub Close message (hub-protocol section 9). */
  readonly reconnect: boolean;
  /** What happened, for the docs. */
  readonly doc: string;
}

const closed = 'Connection closed with an error.';

/** Why a client connection ended. */
export const closeReasons = {
  client_left: { error: undefined, reconnect: false, doc: 'The client said Close or its transport ended.' },
  handshake_timeout: {
    error: undefined,
    reconnect: false,
    doc: 'No complete handshake request within SIGNALBOX_HANDSHAKE_MS.',
  },
  idle: { error: closed, reconnect: true, doc: 'Nothing came from the client for its time-out.' },
  slow: {
    error: closed,
    reconnect: true,
    doc: 'The client did not read: more than SIGNALBOX_CLIENT_QUEUE_BYTES were waiting for it.',
  },
  too_large: { error: closed, reconnect: true, doc: 'A message above SIGNALBOX_CLIENT_MESSAGE_BYTES.' },
  bad_message: { error: closed, reconnect: true, doc: 'Bytes that are no hub message.' },
  auth_expired: {
    error: undefined,
    reconnect: true,
    doc: "The user's login ended (claims asrs.s.coae and asrs.s.aeo).",
  },
  closed_by_app: { error: undefined, reconnect: true, doc: 'The app asked for it, by REST or a link.' },
  link_lost: { error: closed, reconnect: true, doc: 'The link that carried the client was lost.' },
  app_slow: {
    error: closed,
    reconnect: true,
    doc: 'The app behind the link did not read what the client sent, or too many webhooks were waiting for an upstream.',
  },
  stream_gap: {
    error: closed,
    reconnect: true,
    doc: 'A piece between the client and its link was lost between nodes.',
  },
  node_lost: { error: closed, reconnect: true, doc: 'The node of the link died, or this node was cut off.' },
  limit: { error: closed, reconnect: false, doc: 'A limit of the settings was reached.' },
  drain: { error: undefined, reconnect: true, doc: 'The node is stopping.' },
} as const satisfies Record<string, CloseRow>;

/** Why a client connection ended: one of the words of {@link closeReasons}. */
export type CloseReason = keyof typeof closeReasons;

/** Why a message, or a part of it, was not delivered. Each drop is counted under one of these. */
export const dropReasons = {
  backplane_down: 'Redis is known down: the message did not leave this node.',
  backplane_full: 'Redis did not take what was published: SIGNALBOX_BACKPLANE_QUEUE_BYTES or _MS was reached.',
  behind: 'This node was late by SIGNALBOX_LATE_MS and shed its oldest broadcasts and group sends.',
  too_large: 'Above SIGNALBOX_MESSAGE_BYTES.',
  invalid: 'A link sent it with a filter, or with a name or a list that breaks its limit; the link was told.',
  no_protocol: "The app gave no payload for the client's hub protocol.",
  not_handshaken: 'A direct send did not fit into the line of a client that has not finished its handshake.',
  duplicate: 'An envelope that was seen before came again.',
  hole: 'An envelope between two seen ones never came.',
  unknown_version: 'An envelope or command of a version that this node does not read.',
} as const;

/** Why something was not delivered: one of the words of {@link dropReasons}. */
export type DropReason = keyof typeof dropReasons;

/** Why a link, the service connection of an app server, ended. Its WebSocket is closed with 1000 unless the row says otherwise. */
export const linkReasons = {
  app_left: 'The app server closed the link, or its network did.',
  refused: 'Its handshake asked for a version or a type of connection that there is not.',
  malformed: 'Bytes that are no message of the service protocol, another message before the handshake, or text (1003).',
  too_large: 'A message above SIGNALBOX_LINK_MESSAGE_BYTES.',
  silent: 'Nothing came for 30 seconds.',
  slow: 'The app server did not read: more than SIGNALBOX_LINK_QUEUE_BYTES were waiting for it. Cut off at once.',
  drain: 'This node is stopping.',
  handshake_timeout: 'No handshake within 15 seconds.',
} as const;

/** Why a link ended: one of the words of {@link linkReasons}. */
export type LinkReason = keyof typeof linkReasons;

/** Why a token was refused: the label of the metric, and the start of the sentence that the sender is told. */
export const tokenRefusals = {
  missing: 'a bearer token is required',
  malformed: 'the token is no signed JWT with claims',
  algorithm: 'the token must be signed with HS256 or HS512, or by a listed issuer with an algorithm of its own',
  signature: 'the signature does not verify with a key of this service or of the issuer',
  issuer: 'the token has an "iss" that this service does not take here',
  hub: 'the issuer of the token is not taken for this hub',
  claims: 'the token lacks a claim that its issuer must give, or the claim has another value',
  expired: 'the token has expired, or has no "exp"',
  login_expired: 'the login of the user has expired (claim "asrs.s.aeo")',
  not_yet_valid: 'the token is not valid yet ("nbf" or "iat" is in the future)',
  audience:
    'the token is meant for something else: the "aud" must name the path and hub of the request, or an audience of the issuer',
  issuer_down: 'the keys of the issuer of the token cannot be fetched now: try again',
  admin: 'the header Authorization must be Bearer and the token of operators, SIGNALBOX_ADMIN_TOKEN',
} as const;

/** Why a token was refused: one of the words of {@link tokenRefusals}. */
export type TokenRefusal = keyof typeof tokenRefusals;

/** The limits that `signalbox_limits_reached_total` counts, by the settings that they come from. */
export const countedLimits = [
  'SIGNALBOX_MAX_CONNECTIONS',
  'SIGNALBOX_MAX_CONNECTIONS_PER_HUB',
  'SIGNALBOX_MAX_CONNECTIONS_PER_USER',
  'SIGNALBOX_CONNECT_RATE',
  'SIGNALBOX_MAX_GROUPS_PER_CONNECTION',
  'SIGNALBOX_UPSTREAM_QUEUE_BYTES',
  'SIGNALBOX_UPSTREAM_CLIENT_QUEUE_BYTES',
  'SIGNALBOX_ADMIN_FOLLOWERS',
] as const;

/** One of {@link countedLimits}. */
export type CountedLimit = (typeof countedLimits)[number];
