import { startHaproxy } from './haproxy.ts';
import { startNginx } from './nginx.ts';
import type { ProxiedNode, ProxyOptions, ProxyProcess } from './proxy-process.ts';

/** The proxies that `deploy/` has files for. */
export const proxies: Readonly<
  Record<'nginx' | 'HAProxy', (nodes: readonly ProxiedNode[], options?: ProxyOptions) => Promise<ProxyProcess>>
> = { nginx: startNginx, HAProxy: startHaproxy };

/** Their names, for `describe.each`. */
export const proxyNames = Object.keys(proxies) as (keyof typeof proxies)[];
