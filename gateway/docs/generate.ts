/** Writes the reference pages from the tables of the code: `npm run docs -w gateway`. A test compares them. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { settingGroups } from '../src/command-line.ts';
import { errors } from '../src/errors.ts';
import type { MetricRow } from '../src/observe/meters.ts';
import { metricGroups, metrics } from '../src/observe/metrics.ts';
import { closeReasons, dropReasons, linkReasons, tokenRefusals } from '../src/reasons.ts';
import { cliPage } from './cli-page.ts';
import { code, page, table } from './markdown.ts';
import { restPage } from './rest-page.ts';

/** The pages that are made from tables: file name → text. */
export function pages(): Readonly<Record<string, string>> {
  return {
    'cli.md': cliPage(),
    'configuration.md': configurationPage(),
    'errors.md': errorsPage(),
    'metrics.md': metricsPage(),
    'rest.md': restPage(),
  };
}

function configurationPage(): string {
  const groups = settingGroups().flatMap(({ title, settings }) => [
    `## ${title}`,
    table(
      ['setting', 'must be', 'default', 'meaning'],
      settings.map(({ env, rule, fallback, doc }) => [code(env), rule, code(fallback), doc]),
    ),
  ]);
  return page(
    'Configuration',
    'Every setting is an environment variable. It is checked at the start: a wrong value, or a name that begins with\n' +
      '`SIGNALBOX_` and is no setting, ends the process with exit code 2 and one line that names the rule. An empty value\n' +
      'counts as unset.',
    '`--help` prints this page in short, `--print-config` the values in force (secrets only as `(set)` or `(unset)`).',
    '`SIGNALBOX_CONNECTION_STRING` may be in the environment too: it is what apps read, and the gateway ignores it.',
    'Limits count on one node unless the name says `CLUSTER`.',
    ...groups,
  );
}

function errorsPage(): string {
  const rows = Object.entries(errors).map(([name, row]) => [
    code(name),
    String(row.status),
    code(row.rest),
    row.retry ? 'yes' : 'no',
    row.doc,
  ]);
  const closes = Object.entries(closeReasons).map(([name, row]) => [
    code(name),
    row.error === undefined ? 'none' : code(row.error),
    row.reconnect ? 'yes' : 'no',
    row.doc,
  ]);
  return page(
    'Errors and reasons',
    '## Refusals',
    'What is refused is answered with a status, the header `x-ms-error-code`, and a JSON body\n' +
      '`{"code": "…", "message": "…"}`. The message names the rule, the name and the value. `HEAD` answers carry the header\n' +
      'and no body. "Retry" means: the same request, unchanged, may succeed later.',
    table(['error', 'status', 'code', 'retry', 'meaning'], rows),
    '## Why a connection ended',
    'The same words stand in the log and in `signalbox_connections_closed_total`. "Error" is the text of the Close message\n' +
      'that the client gets, "reconnect" its `allowReconnect`.',
    table(['reason', 'error', 'reconnect', 'meaning'], closes),
    '## Why a link ended',
    'The same words stand in the log and in `signalbox_links_closed_total`. The WebSocket of the app server is closed with 1000\n' +
      'unless said otherwise; its clients are closed as `link_lost`, or find another link.',
    table(
      ['reason', 'meaning'],
      Object.entries(linkReasons).map(([name, doc]) => [code(name), doc]),
    ),
    '## Why something was not delivered',
    'Every loss is counted in `signalbox_dropped_total` under one of these.',
    table(
      ['reason', 'meaning'],
      Object.entries(dropReasons).map(([name, doc]) => [code(name), doc]),
    ),
    '## Why a token was refused',
    'The answer is 401 with this sentence (`issuer_down`: 503); the word stands in `signalbox_tokens_refused_total`.',
    table(
      ['reason', 'sentence'],
      Object.entries(tokenRefusals).map(([name, sentence]) => [code(name), sentence]),
    ),
  );
}

function metricsPage(): string {
  const sections = Object.entries<MetricRow>(metrics).flatMap(([name, row]) => [
    `## ${name}`,
    [described(row), row.help, ...asOne(row)].join(' '),
    `When it moves: ${row.moves}`,
  ]);
  const contents = Object.entries(metricGroups).map(([title, group]) => {
    const links = Object.keys(group).map((name) => `- [${name}](#${name})`);
    return [`**${title}**`, links.join('\n')].join('\n\n');
  });
  return page(
    'Metrics',
    '`GET /metrics` on the admin port (`SIGNALBOX_ADMIN_PORT`), in the text format of Prometheus. The port answers to\n' +
      '`localhost`, to IP addresses and to the name in `SIGNALBOX_ADMIN_HOST`; other `Host` headers get 403.',
    'Names end with their unit. The label `hub` has at most 100 values, then `other`; `protocol` is `json`, `messagepack`\n' +
      'or `other`; `server` is the id of an app server that is linked now, at most 100 of them, then `other`. There is no label per user, connection or group. The words of the label `reason` are explained in\n' +
      '[errors.md](errors.md).',
    'Of several workers (`SIGNALBOX_WORKERS`) `SIGNALBOX_ADMIN_PORT` shows the sums, also of what workers counted that have\n' +
      'ended; each worker shows its own on its own port. `SIGNALBOX_WORKER_METRICS=each` shows no sums: scrape the workers.',
    ...contents,
    ...sections,
  );
}

function described(row: MetricRow): string {
  const labels = row.labels.length === 0 ? 'no labels' : `by ${row.labels.map(code).join(', ')}`;
  const type = `${row.type[0]?.toUpperCase()}${row.type.slice(1)}`;
  return row.buckets === undefined ? `${type}, ${labels}.` : `${type}, ${labels}, bounds ${row.buckets.join(', ')}.`;
}

/** Only what is not plain: sums are. */
function asOne({ together }: MetricRow): readonly string[] {
  if (together === undefined || together === 'sum') return [];
  return [`Of several workers shown as one: the ${together} of theirs.`];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(pages())) writeFileSync(new URL(name, import.meta.url), text);
}
