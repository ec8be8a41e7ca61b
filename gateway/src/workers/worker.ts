/**
 * What a worker process runs: one node that shares its ports with its siblings. Its parent starts it, hears from it and
 * tells it to stop; signals are the parent's affair, for a terminal or a supervisor sends them to all processes at once.
 */
import { cannotStart, refusalLine } from '../cannot-start.ts';
import { readConfig } from '../config.ts';
import { type Gateway, startGateway } from '../gateway.ts';
import type { WorkerNews } from './worker-process.ts';

let gateway: Gateway | undefined;
let stopping = false;

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => undefined);
process.on('message', stop); // the only message there is
process.on('disconnect', stop); // a worker without its parent would hold the port against the next start

try {
  gateway = await startGateway(readConfig(process.env), { sharesPorts: true });
  tell({ kind: 'listening', adminPort: gateway.adminPort });
} catch (error) {
  const line = refusalLine(error);
  if (line === undefined) throw error;
  tell({ kind: 'refused', line }, () => process.exit(cannotStart));
}

function stop(): void {
  if (gateway === undefined) process.exit(0); // it still starts: nobody is connected
  if (stopping) return;
  stopping = true;
  void gateway.stop().then((inTime) => process.exit(inTime ? 0 : 1));
}

function tell(news: WorkerNews, told: () => void = () => undefined): void {
  if (process.connected) process.send?.(news, told);
  else told();
}
