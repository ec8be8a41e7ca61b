import type { BodyForm, Parameter } from './rest-route.ts';

/** A JSON Schema, or a part of an OpenAPI document. */
export type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const texts: Schema = { type: 'array', items: text };
const positive: Schema = { type: 'integer', minimum: 1 };

/** A reference to a schema of the document. */
export function schemaRef(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

function object(properties: Record<string, Schema>, required: readonly string[] = Object.keys(properties)): Schema {
  return { type: 'object', properties, required };
}

const time: Schema = { type: 'string', format: 'date-time' };
const claims: Schema = { type: 'array', items: object({ type: text, value: text }) };
const connection = object({ connectionId: text, userId: text }, ['connectionId']);
const message = object({ target: text, arguments: { type: 'array', items: {} } }, ['target']);
const one = (properties: Record<string, Schema>, required: readonly string[]): Schema => ({
  ...object(properties, required),
  additionalProperties: false,
});

/** What an error is answered with, in every operation. */
export const errorDetail: Schema = object({ code: text, message: text });

/** Who a line of a batch is for: exactly one place. */
const address: Schema = {
  oneOf: [
    one({ all: { const: true }, except: { oneOf: [text, texts] } }, ['all']),
    one({ group: text, except: { oneOf: [text, texts] } }, ['group']),
    ...['user', 'connection'].map((place) => one({ [place]: text }, [place])),
    ...['groups', 'users', 'connections'].map((place) => one({ [place]: texts }, [place])),
  ],
};

interface Form {
  /** Media types that carry it, with the schema of each; for NDJSON, of each line. */
  readonly content: Readonly<Record<string, Schema>>;
  readonly doc: string;
}

const json = (schema: Schema): Form['content'] => ({ 'application/json': schema });
const payloadMap: Schema = { type: 'string', format: 'binary' };

/** Every form of a body. */
export const bodyForms: Readonly<Record<BodyForm, Form>> = {
  Message: {
    content: { 'application/json': message, 'application/octet-stream': payloadMap },
    doc: 'A call of a client method. As bytes: a MessagePack map from hub protocol to the framed hub message.',
  },
  StreamItem: {
    content: { 'application/json': {}, 'application/octet-stream': payloadMap },
    doc: 'The item: any JSON value. As bytes: a MessagePack map from hub protocol to the framed StreamItem.',
  },
  Batch: {
    content: {
      'application/x-ndjson': object({ to: address, target: text, arguments: { type: 'array', items: {} } }, [
        'to',
        'target',
      ]),
    },
    doc: 'One JSON object on each line: who it is for, and a call of a client method.',
  },
  BatchOutcomes: {
    content: {
      'application/x-ndjson': object(
        { status: { type: 'integer' }, code: text, message: text, reach: { const: 'local' } },
        ['status'],
      ),
    },
    doc: 'One JSON object for each line that was not blank, in the same order.',
  },
  ClientToken: { content: json(object({ token: text })), doc: 'A signed client token.' },
  ClientResult: {
    content: json(object({ result: {}, protocol: text }, ['result'])),
    doc: 'What the client returned; null when it returned nothing.',
  },
  LoginChange: {
    content: json(object({ connectionToken: text, expireTime: time, claims }, ['connectionToken', 'expireTime'])),
    doc: 'The token of the connection, until when its login is valid, and its claims; without any they stay as they are.',
  },
  LoginOf: { content: json(object({ connectionToken: text })), doc: 'The token of the connection.' },
  LoginClaims: { content: json(object({ claims })), doc: 'The claims of the connection.' },
  Connections: {
    content: json(object({ value: { type: 'array', items: connection }, nextLink: text }, ['value'])),
    doc: 'A page, by connection id. Without `nextLink` it is the last.',
  },
  Count: { content: json(object({ count: { type: 'integer', minimum: 0 } })), doc: 'A number of connections.' },
  Description: { content: json({ type: 'object' }), doc: 'An OpenAPI 3.1 document.' },
};

interface ParameterForm {
  readonly schema: Schema;
  readonly doc: string;
}

/** Every query parameter of an operation. */
export const parameterForms: Readonly<Record<Parameter, ParameterForm>> = {
  excluded: { schema: texts, doc: 'A connection that is left out; repeat it for more.' },
  reason: { schema: text, doc: 'Text for the error that the client gets.' },
  error: { schema: text, doc: 'As `reason`, which counts before it.' },
  ttl: {
    schema: { type: 'integer', minimum: 0, maximum: 2_147_483_647 },
    doc: 'Seconds in which later connections join too; 0: only those of now. Absent: for good.',
  },
  userId: { schema: text, doc: 'The user of the token. Absent: an anonymous client.' },
  minutesToExpire: {
    schema: { ...positive, maximum: 2_147_483_647, default: 60 },
    doc: 'How long the token is valid.',
  },
  maxpagesize: { schema: { ...positive, maximum: 200, default: 100 }, doc: 'The most connections on one page.' },
  top: { schema: { ...positive, maximum: 2_147_483_647 }, doc: 'The most connections in all.' },
  continuationToken: { schema: text, doc: 'Where the page begins: follow `nextLink` instead of making one.' },
  completed: { schema: { type: 'boolean', default: false }, doc: 'Is it the last item?' },
};
