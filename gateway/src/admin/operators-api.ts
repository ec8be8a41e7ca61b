import type { IncomingMessage, ServerResponse } from 'node:http';
import { jsonInvocation, MalformedError, parsePayloadJson } from '@signalbox/app-sdk/protocol';
import type { Config } from '../config.ts';
import type { Operators } from '../core/operators.ts';
import type { Router } from '../core/router.ts';
import { GatewayError } from '../errors.ts';
import type { Log } from '../observe/log.ts';
import type { Quarry } from '../protocol/operator.ts';
import { clusterPicture } from './cluster.ts';
import { type Answer, json, readJsonBody } from './exchange.ts';
import { followStream } from './follow-stream.ts';
import { readQuarry } from './quarry.ts';

export interface OperatorsApiParts {
  readonly operators: Pick<Operators, 'survey' | 'lookup' | 'followers'>;
  readonly router: Router;
  readonly node: string;
  readonly log: Pick<Log, 'info'>;
  readonly config: Pick<
    Config,
    | 'adminFollowers'
    | 'adminFollowQueue'
    | 'adminLookupMax'
    | 'adminPayloadBytes'
    | 'groupNameChars'
    | 'messageBytes'
    | 'userIdChars'
  >;
  /** Told when SIGNALBOX_ADMIN_FOLLOWERS is reached. */
  readonly limitReached: () => void;
}

/** One request of an operator whose token was checked. Undefined: it answers by itself. */
type Handler = (exchange: Exchange) => Promise<Answer> | Promise<undefined>;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
}

/** What operators ask and do, by path; the token is checked before. */
export interface OperatorsApi {
  /** The methods and handlers of a path; undefined when there is none. */
  route(path: string): { readonly method: 'GET' | 'POST'; readonly handle: Handler } | undefined;
}

/** Makes the API of the operators' page, and of the commands `nodes` and `tail`. */
export function createOperatorsApi(parts: OperatorsApiParts): OperatorsApi {
  const { config, node, operators } = parts;
  const picture = clusterPicture({ operators, node, payloads: config.adminPayloadBytes > 0 });
  const routes: Readonly<Record<string, { method: 'GET' | 'POST'; handle: Handler }>> = {
    '/operators/picture': { method: 'GET', handle: async () => json(200, await picture()) },
    '/operators/lookup': { method: 'GET', handle: (exchange) => lookup(parts, exchange) },
    '/operators/follow': { method: 'GET', handle: (exchange) => follow(parts, exchange) },
    '/operators/send': { method: 'POST', handle: (exchange) => send(parts, exchange) },
    '/operators/close': { method: 'POST', handle: (exchange) => close(parts, exchange) },
  };
  return { route: (path) => (Object.hasOwn(routes, path) ? routes[path] : undefined) };
}

function quarryOf({ config }: OperatorsApiParts, { query }: Exchange): Quarry {
  return readQuarry((name) => query.get(name) ?? undefined, config);
}

async function lookup(parts: OperatorsApiParts, exchange: Exchange): Promise<Answer> {
  const max = parts.config.adminLookupMax;
  const { answers, missing, cutOff } = await parts.operators.lookup(quarryOf(parts, exchange), max);
  const connections = answers.flatMap(({ node, value }) => value.map((one) => ({ node, ...one })));
  connections.sort((a, b) => b.since - a.since);
  const more = answers.some(({ value }) => value.length >= max);
  return json(200, { at: Date.now(), whole: !cutOff, missing, more, connections });
}

async function follow(parts: OperatorsApiParts, exchange: Exchange): Promise<undefined> {
  const { config, limitReached, operators } = parts;
  const quarry = quarryOf(parts, exchange);
  const payloads = exchange.query.get('payloads') === 'true';
  if (payloads && config.adminPayloadBytes === 0) {
    throw new GatewayError('payloads_off', 'SIGNALBOX_ADMIN_PAYLOAD_BYTES is 0: no payload is shown');
  }
  if (operators.followers.size >= config.adminFollowers) {
    limitReached();
    throw new GatewayError('limit_reached', `SIGNALBOX_ADMIN_FOLLOWERS: ${config.adminFollowers} follow already`);
  }
  const { followers } = operators;
  followStream(exchange.response, { followers, quarry, payloads, queue: config.adminFollowQueue });
  return undefined;
}

interface Asked {
  readonly quarry: Quarry;
  readonly body: Buffer;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The body of what acts: JSON that names a hub and whom. */
async function readAsked({ config }: OperatorsApiParts, { request }: Exchange): Promise<Asked> {
  const body = await readJsonBody(request, config.messageBytes);
  let fields: unknown;
  try {
    fields = JSON.parse(body.toString());
  } catch {
    throw new GatewayError('request_invalid', 'the body must be JSON');
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw new GatewayError('request_invalid', 'the body must be a JSON object');
  }
  const named = fields as Readonly<Record<string, unknown>>;
  const quarry = readQuarry((name) => (Object.hasOwn(named, name) ? named[name] : undefined), config);
  if (quarry.hub === '') throw new GatewayError('name_invalid', '"hub" must not be empty');
  return { quarry, body, fields: named };
}

/** A test message, by the same way as one of REST. */
async function send(parts: OperatorsApiParts, exchange: Exchange): Promise<Answer> {
  const { quarry, body } = await readAsked(parts, exchange);
  const { hub, of: to } = quarry;
  const payload = { kind: 'convert', json: invocation(body) } as const;
  const exists = to.kind === 'all' || (await parts.router.ask({ kind: 'exists', hub, at: to }, 'rest')) === 'yes';
  const reach = await parts.router.send(
    { kind: 'send', hub, to, exceptConnections: [], exceptUsers: [], payload },
    'rest',
  );
  parts.log.info('an operator sent a message', { hub, to: to.kind });
  return json(200, { reach, exists });
}

function invocation(body: Uint8Array): Uint8Array {
  try {
    const { target, argumentsJson } = parsePayloadJson(body);
    return jsonInvocation({ target, rawArguments: argumentsJson });
  } catch (error) {
    if (error instanceof MalformedError) throw new GatewayError('request_invalid', error.message);
    throw error;
  }
}

async function close(parts: OperatorsApiParts, exchange: Exchange): Promise<Answer> {
  const { quarry, fields } = await readAsked(parts, exchange);
  const { hub, of: to } = quarry;
  if (to.kind !== 'connection') throw new GatewayError('request_invalid', '"connection" must name the one to close');
  const reason = typeof fields['reason'] === 'string' && fields['reason'] !== '' ? fields['reason'] : undefined;
  const reply = await parts.router.ask({ kind: 'close', hub, to, exceptConnections: [], reason }, 'rest');
  if (reply !== 'yes') throw new GatewayError('connection_unknown', 'no such connection in this hub');
  parts.log.info('an operator closed a connection', { hub, connection: to.connection });
  return json(200, { closed: to.connection });
}
