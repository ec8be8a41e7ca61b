import type { Answers, Operators } from '../core/operators.ts';

/** The picture of the whole cluster, as any node gives it. */
export interface ClusterPicture {
  /** When it was taken, in ms since 1970. */
  readonly at: number;
  /** The node that was asked. */
  readonly node: string;
  /** `false`: Redis is down, and only this node is in the picture. */
  readonly whole: boolean;
  /** May operators ask for payloads? */
  readonly payloads: boolean;
  /** Each node's own picture, with its id, by label. */
  readonly nodes: readonly Readonly<Record<string, unknown>>[];
  readonly missing: Answers<unknown>['missing'];
}

export interface ClusterOptions {
  readonly operators: Pick<Operators, 'survey'>;
  readonly node: string;
  readonly payloads: boolean;
}

/** So long one picture serves all who ask, in ms: many open pages cost the cluster one question a second. */
const freshMs = 1000;

/** Gives the picture of the cluster. */
export function clusterPicture({ operators, node, payloads }: ClusterOptions): () => Promise<ClusterPicture> {
  let taken = Number.NEGATIVE_INFINITY;
  let picture: Promise<ClusterPicture> | undefined;
  const take = async (): Promise<ClusterPicture> => {
    const { answers, missing, cutOff } = await operators.survey();
    const nodes = answers.map((one) => ({ node: one.node, ...(one.value as Readonly<Record<string, unknown>>) }));
    nodes.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    return { at: Date.now(), node, whole: !cutOff, payloads, nodes, missing };
  };
  return () => {
    const now = performance.now();
    if (picture === undefined || now - taken >= freshMs) {
      taken = now;
      picture = take();
      picture.catch(() => {
        picture = undefined; // who asked is told; the next one asks anew
      });
    }
    return picture;
  };
}

function nameOf(picture: Readonly<Record<string, unknown>>): string {
  return `${picture['label']} ${picture['node']}`;
}
