import { describe } from '../address.ts';
import type { DisconnectReason, HubFilter, HubSettings, Schema } from '../hub.ts';
import type { HubProtocol } from '../protocol/hub.ts';

/** A rule of who may call. */
export type Rule = (hub: unknown, call: { method: string; arguments: readonly unknown[] }) => unknown;

/** One method that clients reach, with its rules in the order in which they are asked. */
export interface Method {
  /** As the contract spells it. */
  readonly name: string;
  /** Parameters behind the hub, up to the first with a default. */
  readonly parameters: number;
  readonly authorize: readonly Rule[];
  readonly validate: Schema<readonly unknown[]> | undefined;
  run(hub: unknown, args: readonly unknown[]): unknown;
}

/** The settings of a hub, each with its value. */
export type Settings = Required<Omit<HubSettings, 'protocols'>>;

/** A hub after its checks, ready to be run. */
export interface HubPlan extends Settings {
  readonly name: string;
  readonly protocols: readonly HubProtocol[];
  readonly filters: readonly HubFilter[];
  /** By name as spelt in the contract, and by name in lower case. */
  readonly methods: ReadonlyMap<string, Method>;
  items(): unknown;
  onConnected(hub: unknown): unknown;
  onDisconnected(hub: unknown, reason: DisconnectReason): unknown;
  /** Whether its author asks for the state of a connection, which a webhook cannot keep. */
  readonly keepsItems: boolean;
}

/** Two copies of this package may be loaded: the definition of one is run by the other. */
export const planKey = Symbol.for('@signalbox/app-sdk hub plan');

/** A name with its ASCII letters in lower case; all else is exact. */
export function lowerAscii(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** The method that a client means. */
export function methodOf({ methods }: HubPlan, target: string): Method | undefined {
  return methods.get(target) ?? methods.get(lowerAscii(target));
}

/** The plan of a definition. Throws `TypeError` for what `defineHub` did not make. */
export function planOf(definition: unknown): HubPlan {
  const plan = (definition as { [planKey]?: HubPlan } | null | undefined)?.[planKey];
  if (plan === undefined) throw new TypeError(`a hub must come from defineHub, got ${describe(definition)}`);
  return plan;
}
