const units = ['B', 'KB', 'MB', 'GB', 'TB'];
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** A whole number with separators. */
export function count(value) {
  return whole.format(value);
}

/** A rate, with one decimal below ten. */
export function rate(value) {
  return value < 10 ? short.format(value) : whole.format(value);
}

/** Bytes in the unit that reads best. */
export function bytes(value) {
  let unit = 0;
  let left = value;
  for (; left >= 1024 && unit < units.length - 1; unit++) left /= 1024;
  return `${left < 10 && unit > 0 ? short.format(left) : whole.format(left)} ${units[unit]}`;
}

/** Milliseconds of a round trip. */
export function ms(value) {
  if (value === undefined || value === null) return '–';
  return `${value < 10 ? value.toFixed(1) : whole.format(value)} ms`;
}

/** A span of time in its two largest units. */
export function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The time of day, with tenths of seconds. */
export function clock(at) {
  const date = new Date(at);
  const two = (value) => String(value).padStart(2, '0');
  const tenths = Math.floor(date.getMilliseconds() / 100);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${tenths}`;
}

/** A share as percent. */
export function percent(share) {
  return `${whole.format(share * 100)} %`;
}

/** `{kind: 'user', user: 'ann'}` in words. */
export function whom(of) {
  if (of.kind === 'all') return 'everybody';
  const name = of[of.kind];
  return `${of.kind} ${Array.isArray(name) ? name.join(', ') : name}`;
}
