import type { Events } from '../../src/observe/events.ts';
import { Changes } from './changes.ts';

/** What the parts reported, in order. */
export class EventLog extends Changes {
  readonly calls: [name: string, ...facts: unknown[]][] = [];
  readonly events = new Proxy({} as Events, {
    get:
      (_, name) =>
      (...facts: unknown[]) => {
        this.calls.push([String(name), ...facts]);
        this.changed();
      },
  });

  /** The facts of every event of this name. */
  of(name: keyof Events): unknown[][] {
    return this.calls.filter(([called]) => called === name).map(([, ...facts]) => facts);
  }

  /** What was dropped, by reason. */
  get drops(): Record<string, number> {
    const drops: Record<string, number> = {};
    for (const [reason, count] of this.of('dropped'))
      drops[String(reason)] = (drops[String(reason)] ?? 0) + Number(count);
    return drops;
  }
}
