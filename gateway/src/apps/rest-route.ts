import type { ClientTokens } from '../auth/client-tokens.ts';
import type { Config } from '../config.ts';
import type { Inquiries } from '../core/inquiries.ts';
import type { Invocations } from '../core/invocations.ts';
import type { Logins } from '../core/logins.ts';
import type { Router } from '../core/router.ts';
import { type ErrorCode, errors, GatewayError } from '../errors.ts';
import type { HttpAnswer, HttpRequest } from '../http.ts';
import type { Log } from '../observe/log.ts';
import type { Payload, Question, Send } from '../protocol/command.ts';
import type { NameLimits, RestCall } from './rest-names.ts';

/** Under which prefix a request came: `/api/v1/` or `/api/`. They differ in statuses, not in what is done. */
export type Style = 'v1' | 'dated';

/** A value for each of the two prefixes. */
export interface ByStyle<T> {
  readonly v1: T;
  readonly dated: T;
}

/** The same under both prefixes. */
export const both = <T>(value: T): ByStyle<T> => ({ v1: value, dated: value });

/** An answer to a call that did what it should; its status is that of the row. */
export type Success = Omit<HttpAnswer, 'status'>;

/** What rows may ask of the gateway. */
export interface RestParts {
  readonly router: Router;
  readonly inquiries: Pick<Inquiries, 'list' | 'count'>;
  readonly invocations: Pick<Invocations, 'invoke'>;
  readonly logins: Pick<Logins, 'change'>;
  /** The connection that a connection token stands for. */
  readonly connectionOf: (token: string, hub: string) => string | undefined;
  readonly clientTokens: ClientTokens;
  readonly log: Log;
  readonly limits: NameLimits &
    Pick<Config, 'messageBytes' | 'batchBytes' | 'maxGroupsPerConnection' | 'invokeMs' | 'hosts'>;
}

/** Query parameters of operations; `api-version` and `application` go with all of them. */
export type Parameter =
  | 'excluded'
  | 'reason'
  | 'error'
  | 'ttl'
  | 'userId'
  | 'minutesToExpire'
  | 'maxpagesize'
  | 'top'
  | 'continuationToken'
  | 'completed';

/** Forms of bodies, in both directions; each has a schema in the description of the API. */
export type BodyForm =
  | 'Message'
  | 'StreamItem'
  | 'Batch'
  | 'BatchOutcomes'
  | 'ClientToken'
  | 'ClientResult'
  | 'LoginChange'
  | 'LoginOf'
  | 'LoginClaims'
  | 'Connections'
  | 'Count'
  | 'Description';

interface Shape {
  /** Name in metrics, logs and docs. */
  readonly operation: string;
  /** What it does, for the docs. */
  readonly doc: string;
  /** HTTP methods, upper case. */
  readonly methods: readonly string[];
  /** Templates below the prefix; every one is served under both. A literal is matched in any case. */
  readonly paths: readonly string[];
  /** Status of success, under each prefix. */
  readonly ok: ByStyle<number>;
  readonly query?: readonly Parameter[];
  /** What the request carries. */
  readonly takes?: BodyForm;
  /** What the answer carries; absent: nothing. */
  readonly gives?: BodyForm;
  /** Refusals of its own, for the docs. */
  readonly refusals?: readonly ErrorCode[];
}

/** A send but for its payload, which is read from the body afterwards. */
export type SendDraft = Omit<Send, 'payload'>;

/** One operation of the REST API: how it is called, what it makes of the call, and what it answers. */
export type Route =
  | (Shape & {
      readonly kind: 'send';
      make(call: RestCall): SendDraft;
      payload(request: HttpRequest, mostBytes: number, call: RestCall): Promise<Payload>;
    })
  | (Shape & {
      readonly kind: 'ask';
      make(call: RestCall): Question;
      /** What the reply `no` becomes; `undefined`: success. */
      readonly no: ByStyle<ErrorCode | undefined>;
    })
  | (Shape & {
      readonly kind: 'answer';
      answer(call: RestCall, parts: RestParts, request: HttpRequest): Promise<Success>;
    })
  | (Shape & {
      readonly kind: 'refused';
      /** Why the gateway does not have it. */
      readonly why: string;
    })
  | (Shape & { /** Answered at once, to anybody. */ readonly kind: 'open' });

/** A value as the JSON body of an answer. */
export function jsonAnswer(value: unknown): Success {
  return jsonText(JSON.stringify(value));
}

/** As {@link jsonAnswer}, of what is JSON already. */
export function jsonText(body: string): Success {
  return { headers: { 'Content-Type': 'application/json' }, body };
}

/** What is no refusal is a defect of ours: logged whole, answered without a word about it. */
export function asRefusal(log: Log, operation: string, error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  log.error('a REST request failed', { operation, error: error instanceof Error ? error : String(error) });
  return new GatewayError('internal', errors.internal.doc);
}
