import { DotnetError } from './dotnet-program.ts';

/** Says in one line what is not run here and why. `.ci/run` lists these lines at its end. */
export function sayNotRun(what: string, error: unknown): void {
  if (!(error instanceof DotnetError) || error.notRestored === undefined) throw error;
  process.stderr.write(`not run: ${what}: ${error.notRestored}\n`);
}
