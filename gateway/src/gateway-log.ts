import type { CoreOptions } from './core/core.ts';
import type { NodesListener } from './core/nodes.ts';
import type { Log } from './observe/log.ts';

/** A line for each client that comes and goes, at debug level: who it is, and why it ended. */
export function clientsInLog(log: Pick<Log, 'debug'>): NonNullable<CoreOptions['told']> {
  return (what, { hub, id, userId, protocol, transport }, reason) => {
    const facts = { hub, connection: id, user: userId, transport: transport.kind, protocol, reason };
    log.debug(what === 'opened' ? 'client opened' : 'client ended', facts);
  };
}

/** A line for each node that comes and goes, and for Redis. */
export function nodesInLog(own: string, log: Pick<Log, 'info' | 'warn'>): NodesListener {
  const known = new Set([own]);
  return {
    nodeChanged(node) {
      if (known.has(node)) return;
      known.add(node);
      log.info('a node came', { other: node });
    },
    nodeLeft(node) {
      known.delete(node);
      log.info('a node left', { other: node });
    },
    nodeLost(node) {
      known.delete(node);
      log.warn('a node was lost: its lease ended', { other: node });
    },
    deaf: () => log.warn('Redis is down: messages reach only the clients of this node'),
    hearing: () => log.info('Redis is back: all topics are watched'),
  };
}
