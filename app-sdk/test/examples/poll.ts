import { defineHub, type Schema, WebhookApp } from '@signalbox/app-sdk';
import Fastify from 'fastify';

interface Poll {
  server: { vote(option: string): number };
  client: { voted(option: string, votes: number): void };
}

/** A list of one short text. Any Standard Schema will do: zod, valibot, arktype. */
const option: Schema<[option: string]> = {
  '~standard': {
    version: 1,
    vendor: 'poll',
    validate: (value) => {
      const [text] = value as unknown[];
      return typeof text === 'string' && text.length <= 40 ? { value: [text] } : { issues: [{ message: 'too long' }] };
    },
  },
};

const votes = new Map<string, number>();
const poll = defineHub<Poll>({
  name: 'poll',
  validate: { vote: option },
  methods: {
    async vote(hub, name) {
      const count = (votes.get(name) ?? 0) + 1;
      votes.set(name, count);
      await hub.clients.others.voted(name, count); // goes out by REST
      return count; // answers the caller's invoke
    },
  },
});

const webhooks = new WebhookApp(process.env['SIGNALBOX_CONNECTION_STRING'], { hubs: [poll] });
const app = Fastify();
app.register(webhooks.fastify, { prefix: '/upstream' });
app.post('/poll/negotiate', (request) => webhooks.hub(poll).negotiate({ request }));
await app.listen({ port: 3000 });
