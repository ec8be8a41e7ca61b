import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../gateway/src/config.ts';
import { metrics } from '../../gateway/src/observe/metrics.ts';
import { buildRenderer, goIsThere, type Manifest, removeRenderer, renderChart, valueErrors } from './support/chart.ts';
import { read } from './support/files.ts';
import { typeErrors } from './support/kubernetes-types.ts';

afterAll(removeRenderer);

const secret = { accessKey: 'k'.repeat(32), redisUrl: 'rediss+sentinel://a.redis:26379,b.redis:26379/main' };
const least = { secret };
/** Everything that can be switched on. */
const most = {
  secret: { ...secret, routingSecret: 'r'.repeat(32), adminToken: 't'.repeat(32) },
  image: { pullSecrets: [{ name: 'registry' }] },
  redis: { caSecret: 'redis-ca', insecureTls: true },
  settings: { SIGNALBOX_CLIENT_QUEUE_BYTES: 4_194_304, SIGNALBOX_CORS_ORIGINS: 'https://app.example' },
  drainSeconds: 90,
  service: { type: 'LoadBalancer', annotations: { team: 'chat' } },
  ingress: { enabled: true, className: 'nginx', host: 'chat.example', tlsSecret: 'chat-tls' },
  autoscaling: { enabled: true },
  serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
  networkPolicy: { appNamespaces: ['shop', 'billing'] },
  podAnnotations: { team: 'chat' },
  nodeSelector: { pool: 'edge' },
  tolerations: [{ key: 'edge', operator: 'Exists' }],
};

describe('values.schema.json', () => {
  test.each([
    ['the least', least],
    ['everything', most],
  ])('takes %s', (_, values) => expect(valueErrors(values)).toEqual([]));

  test.each([
    ['a short key', { secret: { accessKey: 'short' } }, '/secret/accessKey must match pattern'],
    ['another scheme', { secret: { redisUrl: 'http://redis' } }, '/secret/redisUrl must match pattern'],
    ['no nodes', { replicas: 0 }, '/replicas must be >= 1'],
    ['a value that there is not', { replica: 3 }, ' must NOT have additional properties'],
    ['a setting of another program', { settings: { PATH: '/' } }, '/settings must match pattern'],
  ])('refuses %s', (_, values, words) => expect(valueErrors(values).join()).toContain(words));
});

type Container = {
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly [key: string]: unknown;
};
type PodSpec = { readonly containers: readonly [Container]; readonly [key: string]: unknown };

// `.ci/run` installs Go with the functions of Helm's templates; nobody needs it for anything else here.
describe.runIf(goIsThere)('the chart, rendered', () => {
  beforeAll(buildRenderer);
  const of = (values: object): readonly Manifest[] => renderChart(values as Record<string, unknown>).manifests;
  const one = (values: object, kind: string): Manifest => {
    const found = of(values).filter((manifest) => manifest.kind === kind);
    expect(found).toHaveLength(1);
    return found[0] as Manifest;
  };
  const podOf = (values: object): PodSpec =>
    (one(values, 'Deployment')['spec'] as { template: { spec: PodSpec } }).template.spec;

  test.each([
    ['the least', least, ['Deployment', 'NetworkPolicy', 'PodDisruptionBudget', 'Secret', 'ServiceAccount']],
    ['everything', most, ['HorizontalPodAutoscaler', 'Ingress', 'ServiceMonitor']],
  ])('with %s keeps to the types of the Kubernetes API', (_, values, kinds) => {
    const manifests = of(values);
    expect(manifests.map(({ kind }) => kind)).toEqual(expect.arrayContaining([...kinds, 'Service']));
    expect(typeErrors(manifests.filter(({ kind }) => kind !== 'ServiceMonitor'))).toEqual([]);
  });

  test('a field that there is not would be noticed', () => {
    const wrong = { ...one(least, 'Deployment'), spec: { replica: 3 } } as Manifest;
    expect(typeErrors([wrong]).join()).toMatch(/known properties.*replica/);
  });

  test.each([
    [{}, 'secret.accessKey must be set, or secret.existing: at least 32 characters, the same for apps'],
    [{ secret: { accessKey: 'k'.repeat(32) } }, 'secret.redisUrl must be set, or secret.existing: nodes meet in Redis'],
    [{ ...least, ingress: { enabled: true } }, 'ingress.host must be set'],
  ])('%j is refused with what to set', (values, words) => expect(() => of(values)).toThrow(words));

  test('a Secret that is there already is used, and none is made', () => {
    const values = { secret: { existing: 'made-elsewhere' } };
    expect(of(values).map(({ kind }) => kind)).not.toContain('Secret');
    expect(JSON.stringify(podOf(values))).toContain('{"name":"made-elsewhere","key":"access-key","optional":false}');
  });

  test.each([
    ['the least', least],
    ['everything', most],
  ])('with %s the gateway takes its settings, on the ports of its probes, services and policy', (_, values) => {
    const [{ env, ports, ...gateway }] = podOf(values).containers;
    const given = env.filter(({ value }) => value !== undefined).map(({ name, value }) => [name, value] as const);
    const secrets = { SIGNALBOX_ACCESS_KEY: secret.accessKey, REDIS_URL: secret.redisUrl };
    const config = readConfig({ ...Object.fromEntries(given), ...secrets });
    expect(ports.map(({ name, containerPort }) => [name, containerPort])).toEqual([
      ['clients', config.port],
      ['apps', config.appPort],
      ['admin', config.adminPort],
    ]);
    expect([config.host, config.appHost, config.adminHost]).toEqual(Array(3).fill('0.0.0.0'));
    const probe = (path: string) => expect.objectContaining({ httpGet: { path, port: 'admin' } });
    expect(gateway).toMatchObject({
      startupProbe: probe('/livez'),
      livenessProbe: probe('/livez'),
      readinessProbe: probe('/readyz'),
    });
    const services = of(values).filter(({ kind }) => kind === 'Service');
    const targets = services.map(
      (service) => service['spec'] as { ports: [{ targetPort: string }]; sessionAffinity: string },
    );
    expect(targets.map((target) => target.ports[0].targetPort)).toEqual(['clients', 'apps', 'admin']);
    expect(targets.map((target) => target.sessionAffinity)).toEqual(Array(3).fill('None'));
  });

  test('more settings come through as they are, large numbers too', () => {
    const { env } = podOf(most).containers[0];
    expect(env).toContainEqual({ name: 'SIGNALBOX_CLIENT_QUEUE_BYTES', value: '4194304' });
    expect(env).toContainEqual({ name: 'SIGNALBOX_CORS_ORIGINS', value: 'https://app.example' });
  });

  test('a pod has longer to end than its preStop and its drain', () => {
    const { terminationGracePeriodSeconds: grace, containers } = podOf(most);
    const drain = containers[0].env.find(({ name }) => name === 'SIGNALBOX_DRAIN_MS');
    expect([drain?.value, grace]).toEqual(['90000', 5 + 90 + 10]);
  });

  test('a pod keeps to the restricted standard', () => {
    const pod = podOf(least);
    expect(pod['securityContext']).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(pod['automountServiceAccountToken']).toBe(false);
    expect(pod.containers[0]['securityContext']).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('only namespaces of apps reach the port of apps, and only those of Prometheus the admin port', () => {
    const { ingress } = one(most, 'NetworkPolicy')['spec'] as { ingress: unknown };
    const from = (...values: string[]) => [
      { namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }] } },
    ];
    expect(ingress).toEqual([
      { ports: [{ port: 'clients' }] },
      { ports: [{ port: 'admin' }], from: from('monitoring') },
      { ports: [{ port: 'apps' }], from: from('shop', 'billing') },
    ]);
    const closed = one({ ...least, networkPolicy: { monitoringNamespaces: [] } }, 'NetworkPolicy')['spec'];
    expect(closed).toMatchObject({ ingress: [{ ports: [{ port: 'clients' }] }] });
  });

  test('the autoscaler has the number of nodes to itself, and asks for a metric that there is', () => {
    expect(one(most, 'Deployment')['spec']).not.toHaveProperty('replicas');
    const [metric] = (
      one(most, 'HorizontalPodAutoscaler')['spec'] as { metrics: [{ pods: { metric: { name: string } } }] }
    ).metrics;
    const { name } = metric.pods.metric;
    expect(Object.keys(metrics)).toContain(name);
    const adapter = parse(read('deploy/kubernetes/prometheus-adapter.yaml')) as {
      rules: { custom: { seriesQuery: string }[] };
    };
    expect(adapter.rules.custom[0]?.seriesQuery).toContain(`__name__="${name}"`);
  });

  test('Prometheus finds the admin service, under the job name of the rules', () => {
    const { selector, jobLabel } = one(most, 'ServiceMonitor')['spec'] as {
      selector: { matchLabels: Record<string, string> };
      jobLabel: string;
    };
    const services = of(most).filter(({ kind }) => kind === 'Service');
    const found = services.filter(({ metadata: { labels } }) =>
      Object.entries(selector.matchLabels).every(([name, value]) => labels[name] === value),
    );
    expect(found.map(({ metadata }) => metadata.name)).toEqual(['chat-signalbox-admin']);
    expect(found[0]?.metadata.labels[jobLabel]).toBe('signalbox');
  });

  test('the notes tell apps where to connect, and what is missing', () => {
    expect(renderChart(least).notes).toContain('No app can reach it yet: set networkPolicy.appNamespaces');
    const { notes } = renderChart(most);
    expect(notes).toContain('Endpoint=https://chat.example;ServerEndpoint=http://chat-signalbox-apps.realtime;');
    expect(notes).not.toContain('No app can reach it');
  });
});
