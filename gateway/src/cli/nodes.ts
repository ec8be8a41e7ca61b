import { AdminPort, adminAbout, adminOption } from './admin-port.ts';
import type { Command } from './command.ts';

/** What the table shows of the picture of the cluster. */
interface Picture {
  readonly whole: boolean;
  readonly missing: readonly { readonly node: string; readonly label: string }[];
  readonly nodes: readonly {
    readonly node: string;
    readonly label: string;
    readonly version: string;
    readonly startedAt: number;
    readonly draining: boolean;
    readonly connections: number;
    readonly links: readonly unknown[];
    readonly rates: { readonly delivered: number; readonly received: number; readonly busy: number };
    readonly redis: { readonly used: boolean; readonly up: boolean; readonly probeMs?: number };
  }[];
}

/** Shows all nodes. */
export const nodesCommand: Command = {
  summary: 'Show the nodes: connections, rates, Redis.',
  usage: '[--admin <url>] [--json]',
  about: [
    ...adminAbout,
    'Rates are those of the last five seconds. A node that is known and does not answer is "silent".',
  ],
  options: { admin: adminOption, json: { kind: 'flag', doc: 'The whole picture as JSON: hubs and links, too.' } },
  positionals: { least: 0, most: 0 },
  async run(given, around) {
    const picture = (await new AdminPort(given.text('admin'), around).get('/operators/picture')) as Picture;
    if (given.flag('json')) around.out(JSON.stringify(picture));
    else for (const line of tableOf(picture)) around.out(line);
  },
};

const columns = ['NODE', 'LABEL', 'STATE', 'UP', 'CONNECTIONS', 'LINKS', 'OUT/S', 'IN/S', 'CORE', 'REDIS', 'VERSION'];
const numbers = new Set(['CONNECTIONS', 'LINKS', 'OUT/S', 'IN/S', 'CORE', 'REDIS']);

function tableOf({ whole, missing, nodes }: Picture): string[] {
  const rows = [
    columns,
    ...nodes.map(rowOf),
    ...missing.map(({ node, label }) => [node, label, 'silent', ...Array<string>(columns.length - 3).fill('-')]),
  ];
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const pad = (cell: string, at: number): string =>
    numbers.has(columns[at] ?? '') ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0);
  const lines = rows.map((row) => row.map(pad).join('  ').trimEnd());
  return whole ? lines : [...lines, 'Redis is down: only the node that was asked is shown.'];
}

function rowOf(one: Picture['nodes'][number]): string[] {
  const { rates, redis } = one;
  const minutes = Math.floor((Date.now() - one.startedAt) / 60_000);
  return [
    one.node,
    one.label,
    one.draining ? 'stopping' : redis.up ? 'ok' : 'no redis',
    minutes < 60 ? `${minutes}m` : `${Math.floor(minutes / 60)}h${minutes % 60}m`,
    String(one.connections),
    String(one.links.length),
    String(rates.delivered),
    String(rates.received),
    `${Math.round(rates.busy * 100)}%`,
    redis.probeMs === undefined ? '-' : `${redis.probeMs.toFixed(1)}ms`,
    one.version,
  ];
}
