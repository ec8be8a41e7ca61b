import { dirname, join } from 'node:path';
import ts from 'typescript';
import type { Manifest } from './chart.ts';
import { root } from './files.ts';

/** Where each kind is described; nothing of the Prometheus operator is there. */
const modules: Readonly<Record<string, string>> = {
  'apps/v1': 'apps/v1',
  v1: 'core/v1',
  'policy/v1': 'policy/v1',
  'autoscaling/v2': 'autoscaling/v2',
  'networking.k8s.io/v1': 'networking/v1',
};

/**
 * What the types of the Kubernetes API have against these objects: fields that there are not, and values of a wrong type.
 * The objects are written as literals, in which the compiler refuses what the type does not know.
 */
export function typeErrors(manifests: readonly Manifest[]): string[] {
  const lines = manifests.map((manifest, at) => {
    const module = modules[manifest.apiVersion];
    if (module === undefined) throw new Error(`${manifest.apiVersion} must have a module of types`);
    const type = `import('kubernetes-types/${module}').${manifest.kind}`;
    return `export const object${at}: ${type} = ${JSON.stringify(manifest, null, 1)};`;
  });
  const file = join(root, 'deploy/test/rendered.ts');
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const fromDisk = host.getSourceFile;
  host.getSourceFile = (name, language, failed, anew) =>
    name === file
      ? ts.createSourceFile(name, lines.join('\n'), language)
      : fromDisk.call(host, name, language, failed, anew);
  host.fileExists = (name) => name === file || ts.sys.fileExists(name);
  host.directoryExists = (name) => name === dirname(file) || ts.sys.directoryExists(name);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}
