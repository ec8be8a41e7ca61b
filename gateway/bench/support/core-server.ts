import { createBackbone } from '../../dist/backbone.js';
import { Cors } from '../../dist/clients/cors.js';
import { webSocketDoor } from '../../dist/clients/websocket.js';
import { readConfig } from '../../dist/config.js';
import { Core } from '../../dist/core/core.js';
import { Topics } from '../../dist/core/topics.js';
import { createHttpServer } from '../../dist/http.js';
import { Health } from '../../dist/observe/health.js';
import { createLog } from '../../dist/observe/log.js';
import { createPrometheus } from '../../dist/observe/prometheus.js';
import { ServerlessApp } from '../../dist/upstream/serverless-app.js';
import { serve } from './child.ts';
import { settledUsage, usage } from './usage.ts';

/** The delivery path of a gateway alone: commands are given to the router in this process, so that REST costs nothing. */

const config = readConfig(process.env);
const node = 'bench';
const log = createLog({ level: 'error', node, label: node });
const none = {
  connections: () => [],
  backlog: () => ({ bytes: 0, slowClients: 0 }),
  outboxClients: () => 0,
  fanoutWaiting: () => 0,
  watchedTopics: () => 0,
  outstandingBytes: () => 0,
  knownNodes: () => 1,
  health: new Health(),
  limits: {},
};
const { events } = createPrometheus({ version: '0', node, label: node }, none);
const { bus, records, prefix } = createBackbone({ config, node, events, log });
const topics = new Topics(prefix, 'the routing secret of the benches', bus.hashTags);
const app = new ServerlessApp({ events, completed: () => undefined, messageBytes: config.clientMessageBytes });
const core = new Core({
  node,
  config,
  bus,
  records,
  topics,
  events,
  appOf: () => app,
  serves: () => true,
  warn: (text) => log.warn(text),
});
await bus.start(core.handlers);
const server = await createHttpServer({
  bodyBytes: 1024,
  defect: (error) => log.error('defect', { error: String(error) }),
});
const admit = async () => ({
  hub: 'bench',
  connectionId: topics.mint('bench', undefined),
  userId: undefined,
  detailedErrors: false,
  authExpires: undefined,
  handshakeMs: 15_000,
  origin: {
    claims: [],
    query: '',
    headers: [],
    remoteAddress: '',
    server: undefined,
    sticky: undefined,
    diagnostic: false,
  },
});
const cors = new Cors(['*']);
server.upgrade(['/client/'], webSocketDoor({ gate: { admit }, cors, events, clients: core.arrivals, config }));
const port = await server.listen('127.0.0.1', 0, true);

serve({
  port: () => port,
  usage,
  settledUsage,
  broadcast({ text, perTurn }: { text: string; perTurn: number }) {
    const json = Buffer.from(text);
    for (let i = 0; i < perTurn; i++) {
      const payload = { kind: 'convert', json } as const;
      const to = { kind: 'all' } as const;
      void core.router.send(
        { kind: 'send', hub: 'bench', to, exceptConnections: [], exceptUsers: [], payload },
        'link',
      );
    }
  },
});
