import type { HubEvent, HubFilter } from '../hub.ts';
import type { MethodOutcome } from '../observe.ts';
import type { Method } from './plan.ts';
import { isHubException, texts, withDetail } from './texts.ts';

/** The end of a call: what the method gave, or the text for the client. */
export type Ending =
  | { readonly outcome: 'ok'; readonly value: unknown }
  | { readonly outcome: Exclude<MethodOutcome, 'ok'>; readonly text: string; readonly error?: unknown };

/** What is called, and how. */
export interface Invocation {
  readonly method: Method;
  /** The name as the client wrote it, for the texts. */
  readonly target: string;
  readonly arguments: readonly unknown[];
  readonly hub: unknown;
  /** Of the host, then of the hub. */
  readonly filters: readonly HubFilter[];
  readonly detailedErrors: boolean;
  /** Aborted when nobody waits for the call any more. */
  readonly signal: { readonly aborted: boolean };
}

/** Runs an event through its filters, the first one outermost, to `last`. */
export function throughFilters(filters: readonly HubFilter[], event: HubEvent, last: () => unknown): Promise<unknown> {
  const step = async (index: number): Promise<unknown> => {
    const filter = filters[index];
    return filter === undefined ? last() : filter(event, () => step(index + 1));
  };
  return step(0);
}

/** What a thrown error comes to. */
export function failure(text: string, error: unknown, detailed: boolean): Exclude<Ending, { outcome: 'ok' }> {
  const outcome = isHubException(error) ? 'exception' : 'error';
  return { outcome, text: withDetail(text, error, detailed), error };
}

/**
 * A call after its name is known: authorize, validate, filters of the host, filters of the hub, method. What is cancelled
 * before its method starts does not start. Never rejects.
 */
export async function invoke(invocation: Invocation): Promise<Ending> {
  const { target, detailedErrors, signal } = invocation;
  try {
    if (!(await isAuthorized(invocation))) return { outcome: 'unauthorized', text: texts.unauthorized(target) };
    const args = await validated(invocation);
    if (args === undefined) return invalid(invocation);
    if (signal.aborted) return { outcome: 'cancelled', text: texts.failed(target) };
    return { outcome: 'ok', value: await run(invocation, args) };
  } catch (error) {
    return failure(texts.failed(target), error, detailedErrors);
  }
}

async function isAuthorized({ method, hub, arguments: args }: Invocation): Promise<boolean> {
  for (const rule of method.authorize) {
    if ((await rule(hub, { method: method.name, arguments: args })) !== true) return false;
  }
  return true;
}

/** The arguments that the method gets; `undefined` when they are refused. */
async function validated({ method, arguments: args }: Invocation): Promise<readonly unknown[] | undefined> {
  if (method.validate === undefined) return args;
  const checked = await method.validate['~standard'].validate(args);
  if (checked.issues !== undefined) return undefined;
  if (Array.isArray(checked.value)) return checked.value;
  throw new TypeError(`"validate.${method.name}" must put out a list of arguments`);
}

/** Too few arguments are told by number; too many are not, since a parameter with a default does not count. */
function invalid({ method: { parameters }, target, arguments: args, detailedErrors }: Invocation): Ending {
  const text = texts.binding(target);
  const detail = args.length < parameters ? texts.countDetail(args.length, parameters) : texts.bindingDetail;
  return { outcome: 'invalid', text: detailedErrors ? `${text} ${detail}` : text };
}

function run({ method, hub, filters }: Invocation, args: readonly unknown[]): unknown {
  if (filters.length === 0) return method.run(hub, args);
  const event: HubEvent = { kind: 'invocation', hub: hub as never, method: method.name, arguments: args };
  return throughFilters(filters, event, () => method.run(hub, args));
}
