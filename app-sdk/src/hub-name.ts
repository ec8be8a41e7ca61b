import { describe } from './address.ts';

const hubPattern = /^[A-Za-z][A-Za-z0-9_`,.[\]]{0,127}$/;
const applicationPattern = /^[A-Za-z][A-Za-z0-9_]*$/;

/** A hub's names, as the service uses them: lower-cased. */
export interface HubName {
  /** The hub alone. */
  readonly hub: string;
  /** Azure's ApplicationName. */
  readonly application?: string;
  /** The full name, which stands in URLs, audiences and metrics: the application, if any, then the hub. */
  readonly full: string;
}

/** Checks the names of a hub and its application (negotiate reference, section 7). Throws `TypeError`. */
export function hubName(hub: unknown, application?: unknown): HubName {
  if (typeof hub !== 'string' || !hubPattern.test(hub)) {
    throw new TypeError(
      `"hub" must be 1 to 128 characters, a letter and then letters, digits or _\`,.[], got ${describe(hub)}`,
    );
  }
  const lower = hub.toLowerCase();
  if (application === undefined) return { hub: lower, full: lower };
  if (typeof application !== 'string' || !applicationPattern.test(application)) {
    throw new TypeError(`"application" must be a letter and then letters, digits or _, got ${describe(application)}`);
  }
  const prefix = application.toLowerCase();
  return { hub: lower, application: prefix, full: `${prefix}_${lower}` };
}
