import { type NodeRecord, StartRefused } from './records.ts';

/** Throws {@link StartRefused} when this node does not fit to one that is alive. */
export function checkFit(own: NodeRecord, prefix: string, nodes: ReadonlyMap<string, NodeRecord>): void {
  for (const [node, record] of nodes) {
    if (!record.accessKeys.some((key) => own.accessKeys.includes(key))) {
      throw new StartRefused(
        'access_keys_differ',
        `"SIGNALBOX_ACCESS_KEY" must share a key with node ${node}, which is alive under the prefix "${prefix}"`,
      );
    }
    if (record.routingSecret !== own.routingSecret) {
      throw new StartRefused(
        'routing_secret_differs',
        `"SIGNALBOX_ROUTING_SECRET" must be that of node ${node}, which is alive under the prefix "${prefix}"`,
      );
    }
  }
}
