/** What is compared with others in turns. */
export interface Subject {
  readonly name: string;
  /** Runs it once. */
  measure(): Promise<Reading>;
}

/** One run: processor time for each unit of work in µs, and units a second. */
export interface Reading {
  readonly cost: number;
  readonly rate: number;
}

/** All runs of one subject, in order. */
export interface Readings {
  readonly name: string;
  readonly costs: readonly number[];
  readonly rates: readonly number[];
}

/** Runs all subjects in turns (A B C, A B C, …), so that a busy moment meets each of them. The first round only warms up. */
export async function inTurns(rounds: number, subjects: readonly Subject[]): Promise<readonly Readings[]> {
  const taken = subjects.map(({ name }) => ({ name, costs: [] as number[], rates: [] as number[] }));
  for (const subject of subjects) await subject.measure();
  for (let round = 0; round < rounds; round++) {
    for (const [i, subject] of subjects.entries()) {
      const { cost, rate } = await subject.measure();
      taken[i]!.costs.push(cost);
      taken[i]!.rates.push(rate);
    }
  }
  return taken;
}
