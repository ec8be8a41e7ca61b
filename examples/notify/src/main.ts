import { createNotifyApp } from './app.ts';

const port = Number(process.env['PORT'] ?? 3000);
const app = createNotifyApp(process.env['SIGNALBOX_CONNECTION_STRING']);
app.listen(port, '127.0.0.1', () => console.log(`Open http://127.0.0.1:${port}/`));
