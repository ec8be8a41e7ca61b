import { SignalboxError } from './errors.ts';

/** What a connection string says. Paths are appended to the URLs as they are (service protocol, section 2). */
export interface ConnectionString {
  /** Host for token audiences, and for all traffic where no other endpoint is given. Has no path. */
  endpoint: URL;
  accessKey: string;
  /** Where clients are sent. Its path ends in `/`. */
  clientEndpoint?: URL;
  /** Where links and REST requests go. Its path ends in `/`. */
  serverEndpoint?: URL;
}

/** The variable that apps and examples read; error texts name it. */
const variable = 'SIGNALBOX_CONNECTION_STRING';
const entraTypes = ['azure', 'azure.msi', 'azure.app', 'aad'];
const versionPattern = /^1\.\d+(?:[\w-.]+)?$/;

function fail(rule: string): never {
  throw new SignalboxError('ERR_CONNECTION_STRING', `connection string: ${rule}`);
}

/** The `Key=Value` segments, by lower-cased key. Only the first `=` splits; a segment without one is skipped. */
function segments(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const segment of text.split(';')) {
    const split = segment.indexOf('=');
    if (split < 0) continue;
    const key = segment.slice(0, split).trim();
    if (found.has(key.toLowerCase())) fail(`"${key}" must be given once`);
    found.set(key.toLowerCase(), segment.slice(split + 1).trim());
  }
  return found;
}

function httpUrl(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    fail(`"${name}" must be an absolute http:// or https:// URL`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    fail(`"${name}" must have no user, query or fragment`);
  }
  return url;
}

function endpointOf(parts: Map<string, string>): URL {
  const text = parts.get('endpoint');
  if (text === undefined || text === '') fail('"Endpoint" is missing');
  const url = httpUrl('Endpoint', text.replace(/\/+$/, ''));
  if (url.pathname !== '/') {
    fail(`"Endpoint" must have no path, got "${url.pathname}"; a path goes into "ClientEndpoint" and "ServerEndpoint"`);
  }
  const port = parts.get('port');
  if (port === undefined) return url;
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    fail(`"Port" must be a whole number from 1 to 65535, got "${port}"`);
  }
  url.port = port;
  return url;
}

function otherEndpoint(parts: Map<string, string>, name: string): URL | undefined {
  const text = parts.get(name.toLowerCase());
  if (text === undefined) return undefined;
  const url = httpUrl(name, text);
  if (!url.pathname.endsWith('/')) fail(`"${name}" must end in "/" when it has a path, got "${url.pathname}"`);
  return url;
}

function accessKeyOf(parts: Map<string, string>): string {
  const authType = parts.get('authtype');
  if (authType !== undefined && entraTypes.includes(authType.toLowerCase())) {
    fail(`"AuthType=${authType}" asks for Entra ID, which this SDK does not offer; give an "AccessKey"`);
  }
  const key = parts.get('accesskey');
  if (key === undefined || key === '') fail('"AccessKey" is missing');
  return key;
}

/**
 * Endpoint, AccessKey, Port, ClientEndpoint, ServerEndpoint, Version by the rules of the service protocol, section 2;
 * `AuthType` (Entra) is refused with a clear text. Throws `SignalboxError` ERR_CONNECTION_STRING, whose text names the
 * part that is wrong and never the access key.
 */
export function parseConnectionString(text: string): ConnectionString {
  const parts = segments(text);
  const endpoint = endpointOf(parts);
  const version = parts.get('version');
  if (version !== undefined && !versionPattern.test(version)) {
    fail(`"Version" must be 1.x, such as 1.0, got "${version}"`);
  }
  const accessKey = accessKeyOf(parts);
  const clientEndpoint = otherEndpoint(parts, 'ClientEndpoint');
  const serverEndpoint = otherEndpoint(parts, 'ServerEndpoint');
  return {
    endpoint,
    accessKey,
    ...(clientEndpoint && { clientEndpoint }),
    ...(serverEndpoint && { serverEndpoint }),
  };
}

/** The connection string of a constructor; where there is none, the error names the variable that usually holds it. */
export function requireConnectionString(text: string | undefined): ConnectionString {
  if (text === undefined || text.trim() === '') fail(`none was given; is ${variable} set?`);
  return parseConnectionString(text);
}

/** Where clients go: an absolute URL that ends in `/`. */
export function clientBase({ endpoint, clientEndpoint }: ConnectionString): string {
  return (clientEndpoint ?? endpoint).href;
}

/** Where REST requests and links go: an absolute URL that ends in `/`. */
export function serverBase({ endpoint, serverEndpoint }: ConnectionString): string {
  return (serverEndpoint ?? endpoint).href;
}

/** What every token audience begins with: scheme and host of `Endpoint` and a `/`, without the port. */
export function audienceBase({ endpoint }: ConnectionString): string {
  return `${endpoint.protocol}//${endpoint.hostname}/`;
}
