import { DotnetError } from './dotnet-program.ts';

/** Says in one line what is not run here and why. `.ci/run` lists these lines at its end. */
export function sayNotRun(what: string, error: unknown): void {
  if (!(error instanceof DotnetError) || error.missingPackages.length === 0) throw error;
  process.stderr.write(`not run: ${what}: the package feed lacks ${error.missingPackages.join(', ')}\n`);
}
