import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Copy, DockerfileParser, type From, type Instruction } from 'dockerfile-ast';
import { copyContext } from './build-context.ts';
import { read } from './files.ts';

/** What a Dockerfile makes, in a folder of this machine in place of an image. */
export interface Image {
  /** The working directory of its process. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** The process: its ENTRYPOINT and CMD. */
  readonly process: readonly string[];
  readonly healthcheck: readonly string[];
  remove(): void;
}

interface Stage {
  readonly root: string;
  folder: string;
  readonly env: Record<string, string>;
  process: string[];
  healthcheck: string[];
}

/**
 * Does what a Dockerfile says without a Docker engine: a stage is a folder, COPY copies, RUN runs here. Left out is what is
 * about the system of the image and not about its files: the base images and apt-get.
 */
export function buildImage(dockerfile: string): Image {
  const home = mkdtempSync(join(tmpdir(), 'signalbox-image-'));
  const context = join(home, 'context');
  copyContext(dockerfile, context);
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  for (const instruction of DockerfileParser.parse(read(dockerfile)).getInstructions()) {
    if (instruction.getKeyword() === 'FROM') {
      const name = (instruction as From).getBuildStage() ?? 'last';
      stage = { root: join(home, name), folder: join(home, name), env: {}, process: [], healthcheck: [] };
      stages.set(name, stage);
    } else if (stage !== undefined) follow(instruction, stage, stages, context);
  }
  if (stage === undefined) throw new Error(`${dockerfile} must have a stage`);
  const { folder, env, process, healthcheck } = stage;
  return { folder, env, process, healthcheck, remove: () => rmSync(home, { recursive: true }) };
}

function follow(instruction: Instruction, stage: Stage, stages: ReadonlyMap<string, Stage>, context: string): void {
  const words = instruction.getArguments().map((argument) => argument.getValue());
  const keyword = instruction.getKeyword();
  if (keyword === 'WORKDIR') {
    stage.folder = join(stage.root, words[0] ?? '');
    mkdirSync(stage.folder, { recursive: true });
  } else if (keyword === 'COPY') {
    const from = (instruction as Copy).getFlags().find((flag) => flag.getName() === 'from');
    copy(words, stage, from === undefined ? context : (stages.get(from.getValue() ?? '')?.root ?? ''));
  } else if (keyword === 'RUN') run(instruction.getArgumentsContent() ?? '', stage);
  else if (keyword === 'ENV') Object.assign(stage.env, Object.fromEntries(words.map((word) => word.split('='))));
  else if (keyword === 'ENTRYPOINT' || keyword === 'CMD') stage.process.push(...json(instruction));
  else if (keyword === 'HEALTHCHECK') stage.healthcheck = json(instruction);
}

/** The words of a command in its form without a shell. */
export function json(instruction: Instruction): string[] {
  const words = /\[.*\]$/s.exec(instruction.getArgumentsContent() ?? '')?.[0];
  if (words === undefined)
    throw new Error(`${instruction.getKeyword()} must be a list, for no shell passes signals on`);
  return JSON.parse(words) as string[];
}

/** As COPY: a folder's content goes into the target, a file into it when it ends in a slash or is there as a folder. */
function copy(words: readonly string[], stage: Stage, source: string): void {
  const target = words.at(-1) ?? '';
  for (const word of words.slice(0, -1)) {
    const from = join(source, word);
    if (!existsSync(from)) throw new Error(`COPY ${words.join(' ')}: there is no ${word}`);
    const into = target.endsWith('/') ? join(stage.folder, target, basename(word)) : join(stage.folder, target);
    cpSync(from, into, { recursive: true, verbatimSymlinks: true });
  }
}

/** What npm needs to know of the way to its registry. Not the rest of its variables: they speak of the folder it was called in. */
const passed = ['PATH', 'HOME', 'npm_config_registry', 'npm_config_cache', 'npm_config_userconfig', 'HTTPS_PROXY'];

function run(command: string, stage: Stage): void {
  if (command.startsWith('apt-get')) return;
  const env = {
    ...Object.fromEntries(passed.map((name) => [name, process.env[name]])),
    npm_config_prefer_offline: 'true',
  };
  execFileSync('sh', ['-ec', command], { cwd: stage.folder, env, stdio: ['ignore', 'ignore', 'inherit'] });
}
