import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { dashboardText } from '../../../deploy/grafana/generate.ts';
import { rows } from '../../../deploy/grafana/panels.ts';
import { metrics } from '../../src/observe/metrics.ts';
import { shipped } from '../support/prometheus.ts';
import { promtool } from '../support/promtool.ts';

const read = (name: string): string => readFileSync(new URL(name, shipped), 'utf8');
const path = (name: string): string => fileURLToPath(new URL(name, shipped));
const found = (text: string, form: RegExp): string[] => [...text.matchAll(form)].map((match) => match[1] ?? '');
const alerts = found(read('alerts.yml'), /^ +- alert: (\w+)$/gm);
const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');

test('promtool takes the rules, the alerts and the configuration', () => {
  expect(promtool(['check', 'rules', '--lint-fatal', path('rules.yml'), path('alerts.yml')])).toContain('SUCCESS');
  expect(promtool(['check', 'config', '--lint-fatal', path('prometheus.yml')])).toContain('SUCCESS');
});

test('each alert fires on what it is for and is silent while all is well, as promtool computes', () => {
  expect(promtool(['test', 'rules', path('alerts-firing.test.yml'), path('alerts-quiet.test.yml')])).toContain(
    'SUCCESS',
  );
  for (const file of ['alerts-firing.test.yml', 'alerts-quiet.test.yml']) {
    expect(found(read(file), /^ +- alertname: (\w+)$/gm), file).toEqual(alerts);
  }
});

test('each alert has its section in the runbook, and names it; no section is without its alert', () => {
  expect(alerts.length).toBeGreaterThan(10);
  expect(found(runbook, /^## (\w+)$/gm)).toEqual(alerts);
  expect(found(read('alerts.yml'), /^ +runbook: (\S+)$/gm)).toEqual(
    alerts.map((name) => `gateway/docs/runbook.md#${name.toLowerCase()}`),
  );
});

test('each section of the runbook says what users notice, what to look at and what to do', () => {
  for (const section of runbook.split(/^## /m).slice(1)) {
    expect(found(section, /^\*\*(.+?):\*\*/gm), section).toEqual(['Users notice', 'Look at', 'Do']);
  }
});

test('links inside the runbook lead to a section', () => {
  const sections = new Set(alerts.map((name) => name.toLowerCase()));
  const links = found(runbook, /\]\(#(\w+)\)/g);
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((link) => !sections.has(link))).toEqual([]);
});

/** Metrics that a text asks for, without the endings of a histogram. */
function asked(text: string): string[] {
  const names = text.match(/\bsignalbox_[a-z_]+/g) ?? [];
  return [...new Set(names.map((name) => name.replace(/(?<=_seconds|_receivers)_(bucket|sum|count)$/, '')))];
}

test('rules, alerts and the dashboard ask only for metrics that there are', () => {
  const exprs = rows.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries.map(({ expr }) => expr)));
  const recorded = /\b\w+:signalbox_\w+:\w+/g;
  const texts = [read('rules.yml'), read('alerts.yml'), ...exprs].join('\n').replace(recorded, '');
  expect(asked(texts).filter((name) => !Object.hasOwn(metrics, name))).toEqual([]);
});

test('every metric is on the dashboard', () => {
  const shown = new Set(asked(JSON.stringify(rows)));
  const missing = Object.keys(metrics).filter((name) => !shown.has(name));
  expect(missing, 'add it to deploy/grafana/panels.ts, then `npm run dashboard`').toEqual([]);
});

test('the dashboard that is committed is what the table of panels says', () => {
  const file = new URL('../../../deploy/grafana/dashboards/signalbox.json', import.meta.url);
  expect(readFileSync(file, 'utf8'), 'run `npm run dashboard`').toBe(dashboardText());
});
