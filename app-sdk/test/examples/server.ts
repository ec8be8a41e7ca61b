import { AppServer, negotiateHandler } from '@signalbox/app-sdk';
import express, { type Request } from 'express';
import { chat } from './chat.ts';

/** Set by the login middleware. */
interface LoggedIn {
  user?: { id: string; roles: string[]; expires: Date };
}

const server = new AppServer(process.env['SIGNALBOX_CONNECTION_STRING'], { hubs: [chat] });
await server.start();
process.once('SIGTERM', () => void server.stop());
const hub = server.hub(chat);
const app = express();
app.post(
  '/chat/negotiate',
  negotiateHandler.node(hub, (req: Request & LoggedIn) =>
    req.user
      ? { userId: req.user.id, claims: { role: req.user.roles }, closeOnAuthExpiration: req.user.expires }
      : null,
  ),
);
app.delete('/sessions/:user', async (req, res) => {
  await hub.connections.close({ user: req.params.user }, { reason: 'signed out' });
  res.sendStatus(204);
});
app.get('/readyz', (_req, res) => {
  res.sendStatus(server.health().state === 'ready' ? 200 : 503);
});
app.listen(3000);
