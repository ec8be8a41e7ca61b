import type { Config } from './config.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { startWorkers, type Workers } from './workers/workers.ts';

/**
 * Starts a node, or several workers, prints what only this start knows, and stops at SIGTERM and SIGINT: the process ends
 * with code 0 when that was in time, else with 1. A signal that comes while it starts stops it when it has started.
 * Resolves when it listens.
 * @throws {ConfigError | StartRefused | GatewayError} with one line for people: nothing is left running.
 */
export async function runGateway(config: Config): Promise<void> {
  const starting: Promise<Gateway | Workers> =
    config.workers > 1 ? startWorkers(config, process.env) : startGateway(config);
  stopAtSignals(starting);
  tell(await starting);
}

function stopAtSignals(starting: Promise<Gateway | Workers>): void {
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) {
      void starting.then((running) => 'kill' in running && running.kill());
      setImmediate(() => process.exit(1)); // at once: a second signal
      return;
    }
    stopping = true;
    try {
      const running = await starting;
      process.exit((await running.stop()) ? 0 : 1);
    } catch {
      // it did not start: who started it says why
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop());
}

function tell(running: Gateway | Workers): void {
  if (running.connectionString === undefined) return;
  process.stderr.write(`\nSignalbox listens on ${running.endpoint}\nConnection string for apps:\n\n`);
  process.stderr.write(`  ${running.connectionString}\n\n`);
  if (!('operatorsPage' in running) || running.operatorsPage === undefined) return;
  process.stderr.write(`Operators' page:\n\n  ${running.operatorsPage}\n\n`);
}
