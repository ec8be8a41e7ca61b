import { setTimeout as sleep } from 'node:timers/promises';

/** What a process has used. */
export interface Usage {
  /** Processor time of user and system since its start, in µs. */
  readonly cpu: number;
  /** The system's part of it: mostly socket calls. */
  readonly system: number;
  /** Resident memory in bytes. */
  readonly rss: number;
  /** Live heap and what hangs on it outside, in bytes. */
  readonly heap: number;
}

declare const gc: () => void;

/** Of this process, now. */
export function usage(): Usage {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { cpu: user + system, system, rss, heap: heapUsed + external };
}

/** Of this process, after all garbage was collected and pages were given back. */
export async function settledUsage(): Promise<Usage> {
  for (let i = 0; i < 4; i++) {
    gc();
    await sleep(250);
  }
  return usage();
}
