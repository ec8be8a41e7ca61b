/** How one part feels when it is asked. */
export type PartState =
  | { readonly up: true }
  | {
      readonly up: false;
      /** Since when, in milliseconds of `Date.now`. */
      readonly since: number;
      /** Why, for people. */
      readonly why: string;
    };

/** A part that registered. */
export interface HealthPart {
  /** Name in the body of `/readyz` and `/livez`. */
  readonly name: string;
  /** Cheap and never throws: it is asked at each probe. */
  readonly state: () => PartState;
  /** For so many milliseconds a part may be down without a consequence; `Infinity`: for ever. Default 0. */
  readonly graceMs?: number;
  /** Restarting the process would help: the part counts for `/livez` too. Default `false`. */
  readonly vital?: boolean;
}

/** How one part feels, as it is told. */
export type PartReport =
  | { readonly up: true }
  | { readonly up: false; readonly why: string; readonly seconds: number; readonly tolerated: boolean };

/** The answer to one question about health. Names each part, whether or not it matters for the verdict. */
export interface HealthReport {
  readonly ok: boolean;
  readonly draining: boolean;
  readonly parts: Readonly<Record<string, PartReport>>;
}

/** Alive? Ready? Two questions, asked of the parts that registered. */
export class Health {
  readonly #parts: HealthPart[] = [];
  readonly #now: () => number;
  #draining = false;

  /** @param now milliseconds; a test hands in its own. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** From now on the part is asked. */
  register(part: HealthPart): void {
    if (this.#parts.some(({ name }) => name === part.name)) throw new TypeError(`"${part.name}" registered twice`);
    this.#parts.push(part);
  }

  /** From now on never ready again. Alive all the same: a drain must not be cut short. */
  drain(): void {
    this.#draining = true;
  }

  /** Should new clients come here? */
  ready(): HealthReport {
    return this.#report(this.#parts, !this.#draining);
  }

  /** Does the process do its work at all? Only vital parts count; Redis is none, or its loss would restart every node. */
  live(): HealthReport {
    return this.#report(
      this.#parts.filter(({ vital }) => vital),
      true,
    );
  }

  #report(decisive: readonly HealthPart[], otherwise: boolean): HealthReport {
    const now = this.#now();
    const reports = new Map(this.#parts.map((part) => [part, told(part, now)]));
    const fine = (part: HealthPart) => {
      const report = reports.get(part);
      return report === undefined || report.up || report.tolerated;
    };
    const parts = Object.fromEntries([...reports].map(([part, report]) => [part.name, report]));
    return { ok: otherwise && decisive.every(fine), draining: this.#draining, parts };
  }
}

function told(part: HealthPart, now: number): PartReport {
  const state = part.state();
  if (state.up) return state;
  const downMs = Math.max(0, now - state.since);
  return { up: false, why: state.why, seconds: Math.round(downMs) / 1000, tolerated: downMs < (part.graceMs ?? 0) };
}
