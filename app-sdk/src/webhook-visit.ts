import { Activity } from './hub/activity.ts';
import type { Door } from './hub/caller.ts';
import { CallerContext } from './hub/caller-context.ts';
import { LazySignal } from './hub/lazy-signal.ts';
import type { HubPlan } from './hub/plan.ts';
import type { WebhookHead } from './protocol/webhook-headers.ts';
import { type SignalboxClient, senderOf } from './signalbox-client.ts';
import { createClients } from './targets.ts';

/** The same methods, each call counted until it settles. */
function counted<T extends object>(activity: Activity, methods: T): T {
  const wrapped = Object.entries(methods).map(([name, method]) => {
    const run = method as (...args: unknown[]) => Promise<unknown>;
    return [name, (...args: unknown[]) => activity.track(run(...args))];
  });
  return Object.fromEntries(wrapped) as T;
}

/**
 * One event of one connection: what its hub sees of the caller, and its way out by REST. Sends that nobody awaits are
 * counted, so that the webhook is answered after them: who runs the app may stop it once it has answered.
 */
export class Visit {
  readonly context: CallerContext;
  readonly door: Door;
  readonly signal = new LazySignal();
  readonly #sends = new Activity();

  constructor(plan: HubPlan, client: SignalboxClient, head: WebhookHead, protocol: 'json' | 'messagepack') {
    const { connectionId } = head;
    this.context = new CallerContext(head, {
      protocol,
      items: plan.items(),
      signal: this.signal,
      abort: (reason) => void this.#sends.track(close(client, connectionId, reason).catch(ignore)),
    });
    const sender = senderOf(client);
    const tracked = {
      send: (...send: Parameters<typeof sender.send>) => this.#sends.track(sender.send(...send)),
      invoke: (...question: Parameters<typeof sender.invoke>) => sender.invoke(...question),
    };
    this.door = {
      sender: tracked,
      clients: createClients(tracked),
      groups: counted(this.#sends, client.groups),
      userGroups: counted(this.#sends, client.userGroups),
    };
  }

  /** Resolves when all that was sent has been taken, or has failed. */
  settled(): Promise<void> {
    return this.#sends.idle();
  }
}

/** Ends a client by REST. */
export function close(client: SignalboxClient, connection: string, reason?: string): Promise<void> {
  return client.connections.close({ connection }, reason === undefined ? {} : { reason });
}

function ignore(): void {
  // A client that is gone needs no closing; the observer was told of any other failure.
}
