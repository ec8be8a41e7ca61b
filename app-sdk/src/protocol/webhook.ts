import { createHmac, timingSafeEqual } from 'node:crypto';
import { MalformedError } from './errors.ts';
import type { HubProtocol, InvocationMessage } from './hub.ts';
import { jsonHubProtocol } from './hub-json.ts';
import { messagePackHubProtocol } from './hub-messagepack.ts';

/** The content type of a webhook, exactly: receivers refuse it with a charset behind it (reference, trap 1). */
export const webhookContentTypes = { json: 'application/json', messagepack: 'application/x-msgpack' } as const;

/** Types of the two bodies that are no hub messages. */
const connectedType = 10;
const disconnectedType = 11;

/**
 * The signature of all webhooks of one connection: `sha256=` and the lower-case hex of HMAC-SHA-256 over its id, for each
 * access key, joined by commas without blanks (section 5.4).
 */
export function webhookSignature(accessKeys: readonly string[], connectionId: string): string {
  return accessKeys.map((key) => `sha256=${hmac(key, connectionId).toString('hex')}`).join(',');
}

function hmac(key: string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** Whether any signature of the header was made with any of the keys. */
export function isWebhookSignature(
  header: string | undefined,
  accessKeys: readonly string[],
  connectionId: string,
): boolean {
  const given = (header ?? '').split(',').flatMap((part) => {
    const hex = /^\s*sha256=([0-9a-f]{64})\s*$/i.exec(part)?.[1];
    return hex === undefined ? [] : [Buffer.from(hex, 'hex')];
  });
  const expected = accessKeys.map((key) => hmac(key, connectionId));
  return expected.some((one) => given.some((other) => timingSafeEqual(one, other)));
}

/** The body that tells of a new connection. */
export function connectedBody(): Uint8Array {
  return Buffer.from(JSON.stringify({ type: connectedType }));
}

/** The body that tells of the end of a connection; without an error it was a normal one. */
export function disconnectedBody(error?: string): Uint8Array {
  return Buffer.from(JSON.stringify({ type: disconnectedType, error }));
}

/**
 * The error in the body of a `disconnected`; names of members are read in any case.
 * @throws MalformedError when the body is no such message.
 */
export function readDisconnectedBody(body: Uint8Array): string | undefined {
  const members = new Map(Object.entries(readObject(body)).map(([name, value]) => [name.toLowerCase(), value]));
  const error = members.get('error') ?? undefined;
  if (members.get('type') !== disconnectedType) throw new MalformedError(`"type" must be ${disconnectedType}`);
  if (error !== undefined && typeof error !== 'string') throw new MalformedError('"error" must be a string');
  return error;
}

function readObject(body: Uint8Array): object {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // said below
  }
  throw new MalformedError('the body must be a JSON object');
}

/** The hub protocol of a body by its content type, whose parameters do not count; `undefined` for any other type. */
export function webhookProtocol(contentType: string | undefined): HubProtocol | undefined {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type === webhookContentTypes.json) return jsonHubProtocol;
  return type === webhookContentTypes.messagepack ? messagePackHubProtocol : undefined;
}

/**
 * The invocation in the body of a message: a hub message without its frame.
 * @throws MalformedError when it is another message, or none.
 */
export function readWebhookInvocation(protocol: HubProtocol, body: Uint8Array): InvocationMessage {
  const message = protocol.parse(body);
  if (message?.kind !== 'invocation') throw new MalformedError('the body must be one invocation without its frame');
  return message;
}
