import { execFileSync } from 'node:child_process';
import { convertFiles } from '@cdktf/hcl2json';
import { beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../gateway/src/config.ts';
import { filesBelow, read, root } from './support/files.ts';

type Block = Readonly<Record<string, unknown>>;
/** Type → name → blocks, as the parser gives them. */
type Blocks = Readonly<Record<string, Readonly<Record<string, readonly Block[]>>>>;

let terraform: {
  readonly resource: Blocks;
  readonly data: Blocks;
  readonly variable: Readonly<Record<string, readonly Block[]>>;
  readonly locals: readonly Block[];
};
const texts = filesBelow('deploy/aws').map(read);
/** Without comments and the texts of descriptions. */
const code = texts.join('\n').replace(/^\s*#.*$|\s#\s.*$|description += ".*"/gm, '');

beforeAll(async () => {
  terraform = (await convertFiles(`${root}deploy/aws`)) as typeof terraform;
});

/** An expression as the parser gives it. */
const hcl = (expression: string): string => ['${', '}'].join(expression);

const only = (type: string, name: string): Block => terraform.resource[type]?.[name]?.[0] ?? {};
const named = (pattern: RegExp): string[] =>
  [...new Set([...code.matchAll(pattern)].map(([, name]) => name ?? ''))].sort();

describe('what is named is there, and what is there is used', () => {
  test('variables', () => expect(named(/\bvar\.(\w+)/g)).toEqual(Object.keys(terraform.variable).sort()));

  test('locals', () => {
    const declared = terraform.locals.flatMap((block) => Object.keys(block));
    expect(named(/\blocal\.(\w+)/g)).toEqual(declared.sort());
  });

  test('resources and data', () => {
    const names = (blocks: Blocks, prefix = ''): string[] =>
      Object.entries(blocks).flatMap(([type, all]) => Object.keys(all).map((name) => `${prefix}${type}.${name}`));
    const declared = [...names(terraform.resource), ...names(terraform.data, 'data.')];
    const mentioned = named(/\b((?:data\.)?(?:aws|random)_\w+\.\w+)/g);
    expect(mentioned.length).toBeGreaterThan(20);
    expect(mentioned.filter((name) => !declared.includes(name) && !declared.includes(`data.${name}`))).toEqual([]);
  });
});

describe('the load balancers', () => {
  test('send any connection to any node, and cut none', () => {
    expect(only('aws_lb_target_group', 'nodes')).toMatchObject({
      stickiness: [{ enabled: false }],
      connection_termination: false,
      target_health_state: [{ enable_unhealthy_connection_termination: false }],
    });
  });

  test('ask for readiness on the admin port', () => {
    expect(only('aws_lb_target_group', 'nodes')['health_check']).toMatchObject([
      { path: '/readyz', port: hcl('local.ports.admin'), protocol: 'HTTP' },
    ]);
  });

  test('take clients from everywhere by TLS, and apps from inside only', () => {
    expect(only('aws_lb_listener', 'clients')).toMatchObject({ protocol: 'TLS', port: 443 });
    expect(only('aws_lb', 'apps')['internal']).toBe(true);
    const open = Object.entries(terraform.resource['aws_vpc_security_group_ingress_rule'] ?? {});
    const everywhere = open.filter(([, [rule]]) => JSON.stringify(rule).includes('0.0.0.0/0'));
    expect(everywhere.map(([name]) => name)).toEqual(['clients']);
  });
});

test('a node has longer to end than its drain, within what Fargate allows', () => {
  expect(code).toMatch(/stopTimeout += var\.drain_seconds \+ 10\n/);
  expect(code).toMatch(/SIGNALBOX_DRAIN_MS += var\.drain_seconds \* 1000\n/);
  const most = Number(/var\.drain_seconds <= (\d+)/.exec(code)?.[1]);
  expect(most + 10).toBeLessThanOrEqual(120);
});

test('the gateway takes its settings, on the ports of the load balancers', () => {
  const { ports } = terraform.locals.find((block) => 'ports' in block) as { ports: Record<string, number> };
  const block = /settings = merge\(\{\n(.*?)\n {2}\}/s.exec(code)?.[1] ?? '';
  const rows = [...block.matchAll(/^\s*(\w+) += (.+?)$/gm)].map(([, name = '', value = '']) => {
    const port = /^local\.ports\.(\w+)$/.exec(value)?.[1];
    const text =
      port === undefined ? value.replaceAll('"', '').replace('var.drain_seconds * 1000', '90000') : ports[port];
    return [name, String(text).trim()] as const;
  });
  const secrets = { SIGNALBOX_ACCESS_KEY: 'k'.repeat(64), REDIS_URL: 'rediss://redis' };
  const config = readConfig({ ...Object.fromEntries(rows), ...secrets });
  expect([config.port, config.appPort, config.adminPort]).toEqual([ports['clients'], ports['apps'], ports['admin']]);
  expect([config.host, config.appHost, config.adminHost]).toEqual(Array(3).fill('0.0.0.0'));
  expect(config.maxConnections).toBeLessThan(65_535);
});

test('keys come from Secrets Manager, never from the environment of the task definition', () => {
  const settings = /settings = merge\(\{\n(.*?)\n {2}\}/s.exec(code)?.[1] ?? '';
  expect(settings).not.toMatch(/ACCESS_KEY|REDIS_URL|SECRET|TOKEN/);
  const secrets = only('aws_secretsmanager_secret', 'gateway')['for_each'];
  expect(secrets).toBe(hcl('toset(["SIGNALBOX_ACCESS_KEY", "REDIS_URL"])'));
});

test('Redis has TLS, a password and fail-over in both forms, and nobody but nodes reaches it', () => {
  expect(only('aws_elasticache_replication_group', 'redis')).toMatchObject({
    transit_encryption_enabled: true,
    at_rest_encryption_enabled: true,
    automatic_failover_enabled: true,
    multi_az_enabled: true,
    auth_token: hcl('random_password.redis.result'),
    num_node_groups: hcl('var.redis_cluster ? var.redis_shards : null'),
    num_cache_clusters: hcl('var.redis_cluster ? null : 2'),
  });
  expect(only('aws_vpc_security_group_ingress_rule', 'redis')['referenced_security_group_id']).toBe(
    hcl('aws_security_group.nodes.id'),
  );
});

/** Terraform itself, where somebody has it: it is in neither Debian nor the npm registry. */
function terraformIsThere(): boolean {
  try {
    execFileSync('terraform', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

if (terraformIsThere()) {
  test('the files are formatted as Terraform formats them', () => {
    const said = execFileSync('terraform', ['fmt', '-check', '-diff', `${root}deploy/aws`], { encoding: 'utf8' });
    expect(said).toBe('');
  });
}
