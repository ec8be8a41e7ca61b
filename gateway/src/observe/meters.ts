import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** How one metric is declared. The docs are made from it. */
export interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  /** Upper bounds of a histogram, in the unit that its name ends with. */
  readonly buckets?: readonly number[];
  /** What a gauge of several workers is, shown as one. Default `sum`. */
  readonly together?: 'sum' | 'most' | 'least';
  /** What it counts. */
  readonly help: string;
  /** What to conclude and do when it moves. */
  readonly moves: string;
}

/** A number that the hot path adds to; it is copied when somebody scrapes. */
export interface Tally {
  value: number;
}

/** Makes the metrics of one table in one registry. */
export class Meters<Name extends string> {
  readonly #table: Readonly<Record<Name, MetricRow>>;
  readonly #registry: Registry;

  constructor(table: Readonly<Record<Name, MetricRow>>, registry: Registry) {
    this.#table = table;
    this.#registry = registry;
  }

  /** A counter without labels: `read` gives its whole value when somebody scrapes. */
  counted(name: Name, read: () => number): void {
    const collect = function (this: Counter): void {
      this.reset();
      this.inc(read());
    };
    new Counter({ ...this.#declare(name, 'counter'), collect });
  }

  /** A counter without labels that is added to as a plain number. */
  tally(name: Name): Tally {
    const tally = { value: 0 };
    this.counted(name, () => tally.value);
    return tally;
  }

  /** A counter with one label whose words are known: each shows from the start, as 0, and is added to as a plain number. */
  tallies<Word extends string>(name: Name, label: string, words: readonly Word[]): Readonly<Record<Word, Tally>> {
    const tallies = Object.fromEntries(words.map((word) => [word, { value: 0 }])) as Record<Word, Tally>;
    const collect = function (this: Counter): void {
      this.reset();
      for (const word of words) this.inc({ [label]: word }, tallies[word].value);
    };
    new Counter({ ...this.#declare(name, 'counter'), collect });
    return tallies;
  }

  /**
   * A counter whose children are made at the first use of their labels, given in the order of the table, and added to as
   * plain numbers from then on. The caller bounds the values.
   */
  children(name: Name): (...values: readonly string[]) => Tally {
    const { labels } = this.#table[name];
    const made = new Map<string, { readonly labels: Record<string, string>; readonly tally: Tally }>();
    const collect = function (this: Counter): void {
      this.reset();
      for (const child of made.values()) this.inc(child.labels, child.tally.value);
    };
    new Counter({ ...this.#declare(name, 'counter'), collect });
    return (...values) => {
      const key = values.join('\n');
      const known = made.get(key);
      if (known !== undefined) return known.tally;
      const tally = { value: 0 };
      made.set(key, { labels: Object.fromEntries(labels.map((label, at) => [label, values[at] ?? ''])), tally });
      return tally;
    };
  }

  /** A gauge that is asked when somebody scrapes; `set` stands for its `set`, one call for each child. */
  asked(name: Name, ask: (set: (value: number, labels?: Record<string, string>) => void) => void): void {
    const collect = function (this: Gauge): void {
      this.reset();
      ask((value, labels = {}) => this.set(labels, value));
    };
    new Gauge({ ...this.#declare(name, 'gauge'), collect });
  }

  /** A histogram whose children are looked up by label. */
  histogram(name: Name): Histogram {
    const buckets = [...(this.#table[name].buckets ?? [])];
    return new Histogram({ ...this.#declare(name, 'histogram'), buckets });
  }

  /** A histogram without labels whose observation is two additions. */
  plainHistogram(name: Name): PlainHistogram {
    const buckets = [...(this.#table[name].buckets ?? [])];
    return new PlainHistogram({ ...this.#declare(name, 'histogram'), buckets });
  }

  #declare(name: Name, type: MetricRow['type']) {
    const row = this.#table[name];
    if (row.type !== type) throw new TypeError(`${name} is declared as a ${row.type}, not as a ${type}`);
    return { name, help: row.help, labelNames: row.labels, registers: [this.#registry] };
  }
}

/** A histogram without labels. prom-client's own looks its child up and copies per observation, too much for each envelope. */
export class PlainHistogram extends Histogram {
  readonly #bounds: readonly number[];
  /** One count for each bound, and the last for what is above all. */
  readonly #counts: number[];
  readonly #name: string;
  readonly #help: string;
  #sum = 0;

  constructor(declared: { name: string; help: string; buckets: number[]; registers: Registry[] }) {
    super(declared);
    this.#name = declared.name;
    this.#help = declared.help;
    this.#bounds = declared.buckets;
    this.#counts = new Array<number>(declared.buckets.length + 1).fill(0);
  }

  /** Counts one value. */
  add(value: number): void {
    let at = 0;
    while (at < this.#bounds.length && value > (this.#bounds[at] ?? 0)) at++;
    this.#counts[at] = (this.#counts[at] ?? 0) + 1;
    this.#sum += value;
  }

  /** What prom-client prints; it prefers this method to `get`. */
  async getForPromString() {
    let total = 0;
    const bounds = [...this.#bounds, '+Inf'];
    const values: { metricName: string; labels: Record<string, string | number>; value: number }[] = bounds.map(
      (le, at) => {
        total += this.#counts[at] ?? 0;
        return { metricName: `${this.#name}_bucket`, labels: { le }, value: total };
      },
    );
    values.push({ metricName: `${this.#name}_sum`, labels: {}, value: this.#sum });
    values.push({ metricName: `${this.#name}_count`, labels: {}, value: total });
    return { name: this.#name, help: this.#help, type: 'histogram', values, aggregator: 'sum' };
  }
}

/** Keeps the first so many values of a label and calls all later ones `other`, so that nobody outside can fill the memory. */
export class BoundedLabel {
  readonly #most: number;
  readonly #seen = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  /** The value itself, or `other`. */
  of(value: string): string {
    if (this.#seen.has(value)) return value;
    if (this.#seen.size >= this.#most) return 'other';
    this.#seen.add(value);
    return value;
  }
}
