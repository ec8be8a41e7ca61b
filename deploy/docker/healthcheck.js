/**
 * For HEALTHCHECK: is the gateway of this container alive? Reads the same settings as the gateway, for no curl is in the
 * image. Exit code 0 or 1.
 */
const { SIGNALBOX_ADMIN_HOST: host, SIGNALBOX_ADMIN_PORT: port } = process.env;
const everywhere = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
]);
const address = everywhere.get(host ?? '') ?? (host || '127.0.0.1');
const url = `http://${address.includes(':') ? `[${address}]` : address}:${port || 9090}/livez`;

fetch(url, { signal: AbortSignal.timeout(4000) }).then(
  ({ ok, status }) => end(ok, `${url} answered ${status}`),
  (error) => end(false, `${url}: ${error.cause?.code ?? error.message}`),
);

/**
 * @param {boolean} well
 * @param {string} line
 */
function end(well, line) {
  console.log(line);
  process.exit(well ? 0 : 1);
}
