/** What a node tells of one of its links. */
export interface LinkNews {
  readonly id: string;
  readonly hub: string;
  readonly server: string;
  readonly taking: boolean;
  readonly clients: number;
}

/** What a node tells of itself to the others. */
export interface NodeNews {
  /** Name for people. */
  readonly label: string;
  readonly links: readonly LinkNews[];
  /** Hubs that had a link within the time that counts, and how many ms ago. */
  readonly hubs: readonly (readonly [hub: string, agoMs: number])[];
  /** It takes no new links: absent from nodes of earlier versions. */
  readonly stopping?: boolean;
}

/** Reads what another node told. What a later version says otherwise is passed over. */
export function readNodeNews(data: unknown): NodeNews {
  const { label, links, hubs, stopping } = isObject(data) ? data : {};
  return {
    label: typeof label === 'string' ? label : '',
    links: Array.isArray(links) ? links.filter(isLink) : [],
    hubs: Array.isArray(hubs) ? hubs.filter(isAge) : [],
    stopping: stopping === true,
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isLink(value: unknown): value is LinkNews {
  if (!isObject(value)) return false;
  const texts = [value['id'], value['hub'], value['server']].every((text) => typeof text === 'string');
  return texts && typeof value['taking'] === 'boolean' && typeof value['clients'] === 'number';
}

function isAge(value: unknown): value is readonly [string, number] {
  return Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'number';
}
