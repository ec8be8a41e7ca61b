/** Points that are kept: five minutes at one every two seconds. */
const kept = 150;

/** The last minutes of the cluster, as far as this page has watched. */
export class History {
  /** Times, in seconds. */
  times = [];
  /** @type {Map<string, (number | null)[]>} by name of the series */
  series = new Map();

  /** @param {Record<string, number | null | undefined>} values by series; a series that is missing has a gap */
  add(at, values) {
    this.times.push(at / 1000);
    for (const name of Object.keys(values)) {
      if (!this.series.has(name)) this.series.set(name, new Array(this.times.length - 1).fill(null));
    }
    for (const [name, points] of this.series) points.push(values[name] ?? null);
    if (this.times.length <= kept) return;
    this.times.shift();
    for (const [name, points] of this.series) {
      points.shift();
      if (points.every((point) => point === null)) this.series.delete(name);
    }
  }
}
