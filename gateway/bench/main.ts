/** Runs the benches named on the command line, or all of them. */

const benches = ['memory', 'broadcast', 'rest', 'latency', 'connect', 'echo', 'echo-latency', 'bound'] as const;

const given = process.argv.slice(2);
const wrong = given.find((name) => !benches.some((known) => known === name));
if (wrong !== undefined) throw new Error(`a bench must be one of ${benches.join(', ')}, got ${wrong}`);
for (const name of given.length > 0 ? given : benches) await import(`./${name}.bench.ts`);
