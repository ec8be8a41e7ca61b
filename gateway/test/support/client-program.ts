import type { ClientPlan } from './client-process.ts';
import { OfficialClient } from './official-client.ts';

/* The official client in a process of its own, which tells the test that started it what happens, and ends with it. */

const { url, accessToken, transport } = JSON.parse(process.argv[2] ?? '{}') as ClientPlan;
const tell = (kind: string, value?: unknown): void => void process.send?.({ kind, value });

process.once('disconnect', () => process.exit());
try {
  const client = await OfficialClient.connect({ url, accessToken }, { transport });
  client.connection.on('news', (value: unknown) => tell('news', value));
  void client.closed.then((error) => tell('closed', error?.message));
  tell('connected', client.id);
} catch (error) {
  tell('failed', String(error));
}
