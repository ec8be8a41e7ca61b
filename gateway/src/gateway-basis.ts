import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { ConnectionTokens } from './auth/connection-token.ts';
import { type IssuerSettings, readIssuers } from './auth/issuer-settings.ts';
import { type AccessKeys, importKeys } from './auth/keys.ts';
import { type Backbone, createBackbone } from './backbone.ts';
import type { Config } from './config.ts';
import { Core } from './core/core.ts';
import { Topics } from './core/topics.ts';
import { clientsInLog, nodesInLog } from './gateway-log.ts';
import { picturer } from './gateway-picture.ts';
import { gaugesOf, type Measured } from './gateway-sight.ts';
import { createTraces, type Traces } from './gateway-traces.ts';
import { readTls, type TlsFiles } from './http-tls.ts';
import { Hubs } from './hubs.ts';
import { Health } from './observe/health.ts';
import { createLog, type Log } from './observe/log.ts';
import { createPrometheus, type Prometheus } from './observe/prometheus.ts';
import { Pulse } from './observe/pulse.ts';
import { envelopeVersion } from './protocol/envelope.ts';
import { readUpstream } from './upstream/settings.ts';
import { version } from './version.ts';

/** The parts behind the doors of a node. */
export interface Basis {
  readonly config: Config;
  readonly node: string;
  readonly keys: AccessKeys;
  readonly issuers: readonly IssuerSettings[];
  readonly tls: TlsFiles | undefined;
  readonly log: Log;
  readonly prometheus: Prometheus;
  readonly pulse: Pulse;
  readonly backbone: Backbone;
  readonly core: Core;
  readonly topics: Topics;
  readonly hubs: Hubs;
  readonly connectionTokens: ConnectionTokens;
  readonly health: Health;
  readonly traces: Traces;
}

/**
 * Builds the parts behind the doors and starts them.
 * @throws {ConfigError | StartRefused | GatewayError} with one line for people.
 */
export async function createBasis(config: Config, keyTexts: readonly string[]): Promise<Basis> {
  const templates = readUpstream(config);
  const issuers = readIssuers(config);
  const tls = readTls(config);
  const keys = await importKeys(keyTexts);
  const node = randomBytes(9).toString('base64url');
  const label = config.label ?? `${hostname()}-${process.pid}`;
  const log = createLog({ level: config.logLevel, node, label });
  const late: Late = {};
  const health = new Health();
  const pulse = new Pulse();
  const prometheus = counted(createPrometheus({ version, node, label }, gaugesOf(late, config, health)), pulse);
  const { events } = prometheus;
  const traces = createTraces({ config, node, label, events, log: log.child('traces') });
  const { tracing } = traces;
  const backbone = createBackbone({ config, node, events: prometheus.events, log: log.child('backplane') });
  late.backbone = backbone;
  await backbone.bus.start({
    commands: (topic, from, commands) => late.core?.handlers.commands(topic, from, commands),
    deaf: () => late.core?.handlers.deaf(),
    hearing: () => late.core?.handlers.hearing(),
  });
  const secret = config.routingSecret ?? (await backbone.records.secret(() => randomBytes(32).toString('base64url')));
  const topics = new Topics(backbone.prefix, secret, backbone.bus.hashTags);
  const coreLog = log.child('core');
  const core = new Core({
    node,
    config,
    bus: backbone.bus,
    records: backbone.records,
    topics,
    events,
    tracing,
    told: clientsInLog(log.child('clients')),
    appOf: (hub) => hubsOf(late).appOf(hub),
    serves: (hub) => hubsOf(late).serves(hub),
    warn: (text, error) => coreLog.warn(text, error instanceof Error ? { error } : {}),
  });
  late.core = core;
  core.nodes.listen(nodesInLog(node, log.child('nodes')));
  const connectionTokens = new ConnectionTokens({ keys, firstUseMs: config.negotiateMs });
  const connectionOf = (token: string, hub: string): string | undefined => connectionTokens.peek(token, hub);
  const upstream = { templates, accessKeys: keyTexts, log: log.child('upstream'), tracing };
  const { bus, records, wills } = backbone;
  late.hubs = new Hubs({ config, core, bus, records, wills, topics, node, label, events, connectionOf, upstream });
  const accessKeys = keys.map((key) => key.fingerprint);
  await core.start({ accessKeys, routingSecret: topics.fingerprint, envelope: envelopeVersion, data: { label } });
  hubsOf(late).start();
  core.operators.attach(picturer({ config, backbone, core, health, pulse, label, hubs: hubsOf(late) }));
  return {
    config,
    node,
    keys,
    issuers,
    tls,
    log,
    prometheus,
    pulse,
    backbone,
    core,
    topics,
    hubs: hubsOf(late),
    connectionTokens,
    health,
    traces,
  };
}

/** Operators see rates without anybody who scrapes: the pulse counts what the metrics are told. */
function counted(prometheus: Prometheus, pulse: Pulse): Prometheus {
  return {
    ...prometheus,
    events: pulse.around(prometheus.events),
    close() {
      pulse.close();
      prometheus.close();
    },
  };
}

/** Parts that others need before they can be built; none of it is asked before the doors open. */
interface Late extends Measured {
  hubs?: Hubs;
}

function hubsOf({ hubs }: Late): Hubs {
  if (hubs === undefined) throw new TypeError('the doors must open after the hubs were built');
  return hubs;
}
