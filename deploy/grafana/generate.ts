/** Writes the dashboard from the table of its panels: `npm run dashboard`. A test compares them. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Panel, type Row, rows } from './panels.ts';

const file = new URL('dashboards/signalbox.json', import.meta.url);
/** Grafana's grid: 24 columns. */
const across = 3;
const width = 24 / across;
const height = 7;
const datasource = { type: 'prometheus', uid: '$datasource' } as const;

/** The text of `dashboards/signalbox.json`. */
export function dashboardText(): string {
  return `${JSON.stringify(dashboard(), undefined, 2)}\n`;
}

function dashboard() {
  return {
    uid: 'signalbox',
    title: 'Signalbox',
    description: 'What each metric counts, and what to do when it moves: gateway/docs/metrics.md',
    tags: ['signalbox'],
    schemaVersion: 38,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
        variable('instance', 'Node', 'label_values(signalbox_build_info, instance)'),
        variable('hub', 'Hub', 'label_values(signalbox_connections_opened_total, hub)'),
      ],
    },
    panels: panels(),
  };
}

function variable(name: string, label: string, query: string) {
  const all = { includeAll: true, multi: true, allValue: '.*', current: { text: 'All', value: '$__all' } };
  return { name, label, type: 'query', datasource, query: { query, refId: name }, refresh: 2, sort: 1, ...all };
}

function panels(): object[] {
  let id = 0;
  let y = 0;
  const made: object[] = [];
  for (const row of rows) {
    made.push({
      id: ++id,
      type: 'row',
      title: row.title,
      collapsed: false,
      gridPos: { h: 1, w: 24, x: 0, y },
      panels: [],
    });
    y++;
    for (const [at, panel] of row.panels.entries()) made.push(drawn(panel, ++id, place(at, y)));
    y += heightOf(row);
  }
  return made;
}

function place(at: number, top: number) {
  return { h: height, w: width, x: (at % across) * width, y: top + Math.floor(at / across) * height };
}

function heightOf({ panels: { length } }: Row): number {
  return Math.ceil(length / across) * height;
}

function drawn({ title, unit, queries, kind }: Panel, id: number, gridPos: object) {
  const targets = queries.map(({ expr, legend }, at) => ({
    refId: String.fromCharCode('A'.charCodeAt(0) + at),
    datasource,
    expr,
    legendFormat: legend,
    ...(kind === 'stat' && { instant: true }),
  }));
  const fieldConfig = { defaults: { unit, min: 0 }, overrides: [] };
  const type = kind ?? 'timeseries';
  return { id, type, title, datasource, gridPos, fieldConfig, options: optionsOf(type), targets };
}

function optionsOf(type: string) {
  if (type === 'stat') return { reduceOptions: { calcs: ['lastNotNull'] }, textMode: 'auto' };
  return { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(file, dashboardText());
