/** Times of links, in ms; the service protocol fixes them (7.1, 8.1, 12.1). */
export const linkTimes = {
  /** From the first byte of an attempt to the answer to its handshake. */
  handshake: 15_000,
  /** Between two pings of ours; they only go out when bytes come in. */
  ping: 5000,
  /** The longest silence of the service, and the longest time for which it may take nothing. */
  silence: 30_000,
  /** Between two questions whether the hub has clients. */
  status: 10_000,
  /** Between two announcements of the end of a link, while no answer comes. */
  fin: 5000,
  /** For the last bytes of a queue, and again for the service to close its side. */
  close: 5000,
  /** How often all links of a hub are looked at. */
  beat: 1000,
} as const;

/** How often the end of a link is announced at most. */
export const mostFins = 24;
