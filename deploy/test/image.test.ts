import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DockerfileParser } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startProcess } from '../../examples/support/start-process.ts';
import { read } from './support/files.ts';
import { buildImage, type Image, json } from './support/image.ts';

const dockerfiles = ['deploy/Dockerfile', 'deploy/compose/chat.Dockerfile'];

describe.each(dockerfiles)('%s', (path) => {
  const file = DockerfileParser.parse(read(path));
  const of = (keyword: string) => file.getInstructions().filter((one) => one.getKeyword() === keyword);

  test('has nothing that the Docker language server warns of', () => {
    expect(validate(read(path)).map(({ message }) => message)).toEqual([]);
  });

  test('is built on the Node that .ci/run tests on, which is Debian', () => {
    const tested = /^node22=(\S+)$/m.exec(read('.ci/run'))?.[1];
    expect(of('ARG').map((one) => one.getArgumentsContent())).toEqual([`NODE_IMAGE=node:${tested}-bookworm-slim`]);
    for (const from of file.getFROMs()) expect(from.getImage()).toMatch(/^\$\{NODE_IMAGE\}$/);
  });

  test('runs as nobody special, without a shell, and says how to ask for its health', () => {
    const last = of('USER').map((one) => one.getArgumentsContent());
    expect(last).toEqual(['node']);
    for (const one of [...of('ENTRYPOINT'), ...of('CMD'), ...of('HEALTHCHECK')]) {
      expect(json(one).length).toBeGreaterThan(1);
    }
    expect(of('HEALTHCHECK')).toHaveLength(1);
  });
});

describe('the image of the gateway, built without Docker', () => {
  let image: Image;
  beforeAll(() => {
    image = buildImage('deploy/Dockerfile');
  });
  afterAll(() => image.remove());

  /** Runs a command of the image as its engine would, but for tini, which is not a thing of ours. */
  function command(words: readonly string[]): [program: string, args: string[]] {
    const [program = '', ...args] = words[0] === 'tini' ? words.slice(2) : words;
    expect(program).toBe('node');
    return [process.execPath, args];
  }

  test('holds one native part and nothing that only builds and tests need', () => {
    const modules = join(image.folder, 'node_modules');
    const natives = readdirSync(join(modules, 'uWebSockets.js/dist/bin'));
    expect(natives).toEqual([`uws_${process.platform}_${process.arch}_${process.versions.modules}.node`]);
    for (const name of ['typescript', 'vitest', 'tsx']) expect(existsSync(join(modules, name)), name).toBe(false);
    for (const folder of ['gateway/src', 'gateway/test', 'examples']) {
      expect(existsSync(join(image.folder, folder)), folder).toBe(false);
    }
  });

  test('its process starts, shows the page of operators, and its health check says yes, and no once it is stopped', async () => {
    const secrets = { SIGNALBOX_ACCESS_KEY: 'k'.repeat(32), SIGNALBOX_ADMIN_TOKEN: 't'.repeat(32) };
    const env = { ...image.env, ...secrets, PORT: '0', SIGNALBOX_ADMIN_PORT: '0' };
    const [program, args] = command(image.process);
    const ready = /"adminPort":(\d+).*"msg":"listening"/;
    const gateway = await startProcess(program, args, { cwd: image.folder, env, ready });
    const check = () => {
      const [node, words] = command(image.healthcheck);
      const settings = { ...image.env, SIGNALBOX_ADMIN_PORT: gateway.said[1] };
      return spawnSync(node, words, { cwd: image.folder, env: settings, encoding: 'utf8' });
    };
    expect(check()).toMatchObject({ status: 0, stdout: expect.stringContaining('/livez answered 200') });
    for (const path of ['/', '/page/uplot.js']) {
      expect((await fetch(`http://127.0.0.1:${gateway.said[1]}${path}`)).status, path).toBe(200);
    }
    expect(await gateway.stop()).toBe(0);
    expect(check()).toMatchObject({ status: 1, stdout: expect.stringContaining('ECONNREFUSED') });
  });

  test('without a key it refuses to listen beyond loopback', () => {
    const [program, args] = command(image.process);
    const { status, stderr } = spawnSync(program, args, { cwd: image.folder, env: image.env, encoding: 'utf8' });
    expect([status, stderr]).toEqual([
      2,
      'signalbox-gateway: SIGNALBOX_ACCESS_KEY must be set to listen beyond loopback, on 0.0.0.0\n',
    ]);
  });
});
