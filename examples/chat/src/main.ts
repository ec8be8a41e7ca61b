import { startChatApp } from './server.ts';

const { SIGNALBOX_CONNECTION_STRING: connectionString, PORT: port = '3000', HOST: host } = process.env;
const app = await startChatApp(connectionString, Number(port), host);
process.once('SIGTERM', () => void app.stop()); // an update: clients go on, at other app servers
process.once('SIGINT', () => void app.stop({ clients: 'drop' })); // Ctrl-C: nobody wants to wait
console.log(`Open ${app.url}/`);
