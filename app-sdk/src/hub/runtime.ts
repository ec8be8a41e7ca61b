import type { HubContract } from '../contract.ts';
import { checkTimeout } from '../deadline.ts';
import type { HubDefinition, HubFilter } from '../hub.ts';
import type { CallOptions, HubContext } from '../hub-context.ts';
import { failureReporter, type Logger, type ReportFailure, type Tell } from '../observe.ts';
import { createClients } from '../targets.ts';
import { Activity } from './activity.ts';
import type { HubParts } from './call.ts';
import type { Door } from './caller.ts';
import { HubConnection } from './connection.ts';
import { encodeCall } from './frames.ts';
import type { Gateway, OpenClient } from './gateway.ts';
import { Heartbeat } from './heartbeat.ts';
import { gatewayConnections, gatewayGroups, gatewayUserGroups } from './managers.ts';
import { planOf } from './plan.ts';
import { ClientResults } from './results.ts';
import { GatewaySender } from './sender.ts';

/** How a host runs a hub. */
export interface RuntimeOptions {
  /** The full name. */
  readonly name: string;
  /** Of the host; they run before those of the hub. */
  readonly filters?: readonly HubFilter[];
  readonly logger: Logger;
  readonly tell: Tell;
  /** Whether clients are pinged and timed out; default true. */
  readonly heartbeat?: boolean;
  /** Counts what is under way; default: one of its own. */
  readonly activity?: Activity;
}

/** One hub in one host: its connections, and what they share. Knows neither sockets nor the service's protocol. */
export class HubRuntime {
  /** Questions to clients of any server, that this hub asked. */
  readonly results = new ClientResults();
  readonly #parts: HubParts;
  readonly #report: ReportFailure;
  readonly #connections = new Map<string, HubConnection>();
  readonly #doors = new WeakMap<Gateway, Door & { sender: GatewaySender }>();
  readonly #heartbeat: Heartbeat | undefined;

  constructor(definition: HubDefinition, options: RuntimeOptions) {
    const { name, filters = [], logger, tell, heartbeat = true, activity = new Activity() } = options;
    const plan = planOf(definition);
    this.#parts = { name, plan, filters: [...filters, ...plan.filters], logger, tell, activity };
    this.#report = failureReporter(logger);
    this.#heartbeat = heartbeat ? new Heartbeat(this.#connections) : undefined;
  }

  /** The clients bound to this server, by connection id. */
  get connections(): ReadonlyMap<string, HubConnection> {
    return this.#connections;
  }

  /** A client came; its bytes follow, handshake first. An old connection of the same id ends. */
  open(client: OpenClient): HubConnection {
    const { connectionId, gateway } = client;
    void this.#connections.get(connectionId)?.end({ kind: 'other', error: new Error('its id was opened again') });
    const connection = new HubConnection(
      {
        parts: this.#parts,
        results: this.results,
        door: this.#door(gateway),
        left: () => void this.#connections.delete(connectionId),
      },
      client,
    );
    this.#connections.set(connectionId, connection);
    this.#heartbeat?.start();
    return connection;
  }

  /** Another server asked a client of this one; its answer goes to the gateway of its connection. */
  expect(invocationId: string, connectionId: string): void {
    this.#connections.get(connectionId)?.expect(invocationId);
  }

  /** Resolves when no call, connect or disconnect is under way. Open streams do not count. */
  idle(): Promise<void> {
    return this.#parts.activity.idle();
  }

  /** The hub from outside its calls. All that goes through it takes `gateway`, so that one gateway keeps its order. */
  context<C extends HubContract>(gateway: Gateway, negotiate: HubContext<C>['negotiate']): HubContext<C> {
    const { sender, clients, groups, userGroups } = this.#door(gateway);
    return {
      name: this.#parts.name,
      clients: clients as unknown as HubContext<C>['clients'],
      groups,
      userGroups,
      connections: gatewayConnections(gateway),
      send: (to: unknown, message: unknown, ...rest: unknown[]) => sender.sendAny(to, message, rest),
      sendBatch: (items, options) => sender.sendBatch(items, options),
      negotiate,
    };
  }

  /** No more pings and time-outs; who waits for a client's result gets ERR_STOPPED. Connections are the host's to end. */
  close(): void {
    this.#heartbeat?.stop();
    this.results.close();
  }

  #door(gateway: Gateway): Door & { sender: GatewaySender } {
    const known = this.#doors.get(gateway);
    if (known !== undefined) return known;
    const sender = new GatewaySender(gateway, this.#parts, this.#report, this.#ask);
    const clients = createClients<HubContract>(sender);
    const door = { sender, clients, groups: gatewayGroups(gateway), userGroups: gatewayUserGroups(gateway) };
    this.#doors.set(gateway, door);
    return door;
  }

  /** Straight to a client of the same link, else by the service: either way in line with what the caller sent before. */
  readonly #ask = (
    gateway: Gateway,
    connectionId: string,
    target: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown> => {
    const { plan } = this.#parts;
    const own = this.#connections.get(connectionId);
    const near = own?.connected && own.gateway === gateway ? own : undefined;
    const ask = async (invocationId: string): Promise<void> => {
      if (near !== undefined) return await near.ask(invocationId, target, args);
      const frames = encodeCall(plan.protocols, target, args, invocationId);
      await gateway.invoke({ invocationId, connectionId, frames }, options);
    };
    const timeoutMs = checkTimeout(options?.timeoutMs, plan.clientResultTimeoutMs);
    return this.results.ask({ connectionId, target, options, timeoutMs, told: near === undefined, ask });
  };
}
