import { createServer } from 'node:http';
import { createPollApp } from './app.ts';

const port = Number(process.env['PORT'] ?? 3000);
const app = createPollApp(process.env['SIGNALBOX_CONNECTION_STRING']);
createServer(app.listener).listen(port, '127.0.0.1', () => console.log(`Open http://127.0.0.1:${port}/`));
