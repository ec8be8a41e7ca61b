import { startChatApp } from './server.ts';

const app = await startChatApp(process.env['SIGNALBOX_CONNECTION_STRING'], Number(process.env['PORT'] ?? 3000));
process.once('SIGTERM', () => void app.stop()); // an update: clients go on, at other app servers
process.once('SIGINT', () => void app.stop({ clients: 'drop' })); // Ctrl-C: nobody wants to wait
console.log(`Open ${app.url}/`);
