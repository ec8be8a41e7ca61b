import { execFileSync, spawnSync } from 'node:child_process';

/** Runs `promtool`, which comes with Prometheus. @returns all that it printed; throws with it when it was not content. */
export function promtool(args: readonly string[], input = ''): string {
  const { error, status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  if (error !== undefined) throw missing('promtool');
  if (status !== 0) throw new Error(`promtool ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout + stderr;
}

/** The program, which must be installed. */
export function prometheusProgram(): string {
  try {
    execFileSync('prometheus', ['--version'], { stdio: 'ignore' });
  } catch {
    throw missing('prometheus');
  }
  return 'prometheus';
}

function missing(program: string): Error {
  return new Error(`These tests need ${program}: install it with \`apt-get install prometheus\`.`);
}
