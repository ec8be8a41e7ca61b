import { el } from './dom.js';
import uPlot from './uplot.js';

const height = 150;
/** Names of the colours of series, in style.css. */
const colours = ['--series-1', '--series-2', '--series-3', '--series-4', '--series-5', '--series-6'];

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function timeOfDay(seconds) {
  return new Date(seconds * 1000).toTimeString().slice(0, 8);
}

/** A chart of some series over the last minutes, with its own key, redrawn when it is given data. */
export class Chart {
  /** @param {{ title: string, format: (value: number) => string }} options */
  constructor({ title, format }) {
    this.format = format;
    this.key = el('ul.key');
    this.plot = el('div.plot', { 'aria-hidden': 'true' });
    this.element = el('section.chart.card', {}, el('h3', {}, title), this.key, this.plot);
    this.names = [];
    this.chart = undefined;
    this.resized = new ResizeObserver(() => this.chart?.setSize({ width: this.plot.clientWidth, height }));
    this.resized.observe(this.plot);
  }

  /** @param {Map<string, (number | null)[]>} series */
  show(times, series) {
    const names = [...series.keys()];
    const scheme = matchMedia('(prefers-color-scheme: dark)').matches;
    if (this.chart === undefined || names.join('\n') !== this.names.join('\n') || scheme !== this.scheme) {
      this.names = names;
      this.scheme = scheme;
      this.#build();
    }
    this.chart.setData([times, ...series.values()]);
    this.#tell(series);
  }

  #tell(series) {
    const items = [...series].map(([name, points], at) => {
      const last = points.at(-1);
      const swatch = el('i', { 'data-series': (at % colours.length) + 1 });
      return el(
        'li',
        {},
        swatch,
        `${name} `,
        el('b', {}, last === null || last === undefined ? '–' : this.format(last)),
      );
    });
    this.key.replaceChildren(...items);
  }

  #build() {
    this.chart?.destroy();
    const muted = colour('--muted');
    const grid = { stroke: colour('--line'), width: 1 };
    const axis = { stroke: muted, font: '11px system-ui', grid, ticks: { show: false } };
    const lines = this.names.map((label, at) => ({
      label,
      stroke: colour(colours[at % colours.length]),
      width: 1.75,
      points: { show: false },
    }));
    const range = (_self, _least, most) => [0, Math.max(1, (most ?? 0) * 1.15)];
    this.chart = new uPlot(
      {
        width: this.plot.clientWidth || 300,
        height,
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 22, 0, 0],
        scales: { y: { range } },
        axes: [
          { ...axis, size: 24, space: 90, values: (_self, ticks) => ticks.map(timeOfDay) },
          { ...axis, size: 52, space: 34, values: (_self, ticks) => ticks.map(this.format) },
        ],
        series: [{}, ...lines],
      },
      undefined,
      this.plot,
    );
  }

  close() {
    this.resized.disconnect();
    this.chart?.destroy();
  }
}
