import { setTimeout as pause } from 'node:timers/promises';
import type { Stop } from './stops.ts';

/** A process that may end. */
interface Ending {
  readonly pid: number;
  readonly ended: Promise<unknown>;
  stop(): Promise<unknown>;
}

/** A program that is started again when it ends, as compose.yaml does with `restart: unless-stopped`. */
export interface Kept<P extends Ending> {
  readonly name: string;
  /** The process that runs, or that ended last. */
  readonly process: P;
  readonly stop: Stop;
}

const pauseMs = 500;

/**
 * Starts a program and keeps it running. Rejects when the first start does.
 * @param start starts it at the same address each time
 */
export async function keepRunning<P extends Ending>(
  name: string,
  start: () => Promise<P>,
  say: (text: string) => void = () => undefined,
): Promise<Kept<P>> {
  let current = await start();
  let stopping = false;
  const keep = async (): Promise<void> => {
    for (;;) {
      await current.ended;
      if (stopping) return;
      say(`${name}, process ${current.pid}, ended and is started again ...`);
      current = await again();
      if (stopping) return void current.stop();
      say(`${name} is process ${current.pid} now`);
    }
  };
  const again = async (): Promise<P> => {
    for (;;) {
      try {
        return await start();
      } catch (error) {
        say(`${name} did not start: ${(error as Error).message}`);
        await pause(pauseMs);
      }
    }
  };
  void keep();
  return {
    name,
    get process() {
      return current;
    },
    stop: () => {
      stopping = true;
      return current.stop();
    },
  };
}
