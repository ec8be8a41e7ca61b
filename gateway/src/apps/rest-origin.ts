import { GatewayError } from '../errors.ts';
import type { HttpRequest } from '../http.ts';
import { quoted } from './rest-query.ts';

const hostForm = /^([A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?$/;

/**
 * Scheme and host under which the caller knows this service.
 * @param hosts the first of them stands in place of the caller's, for a token's audience (SIGNALBOX_HOSTS)
 * @throws {GatewayError} `request_invalid` when the `Host` is none.
 */
export function originOf(request: HttpRequest, hosts: readonly string[] = []): string {
  const host = hosts[0] ?? request.sender.host ?? '';
  if (!hostForm.test(host))
    throw new GatewayError('request_invalid', `"Host" must be a host name, got ${quoted(host)}`);
  return `${request.sender.scheme}://${host}`;
}
