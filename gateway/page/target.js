import { el, field } from './dom.js';

const kinds = { user: 'User', group: 'Group', connection: 'Connection', all: 'Everybody' };
let lists = 0;

/** The fields that say whom an operator means: hub, and a user, a group, a connection or everybody. */
export class TargetFields {
  /** @param {{ hub?: string, kind?: string, name?: string }} target @param {readonly string[]} hubs those in the picture */
  constructor(target, hubs, { anyHub = true } = {}) {
    const list = `hubs-${++lists}`;
    this.hub = el('input', {
      name: 'hub',
      list,
      value: target.hub ?? (hubs.length === 1 ? hubs[0] : ''),
      placeholder: anyHub ? 'any' : '',
      required: !anyHub,
      autocomplete: 'off',
      spellcheck: 'false',
      autocapitalize: 'none',
    });
    this.hubs = el('datalist', { id: list });
    this.kind = el('select', { name: 'kind', onchange: () => this.#adapt() });
    for (const [kind, label] of Object.entries(kinds)) {
      this.kind.append(el('option', { value: kind, selected: kind === (target.kind ?? 'user') }, label));
    }
    this.name = el('input', {
      name: 'name',
      value: target.name ?? '',
      autocomplete: 'off',
      spellcheck: 'false',
      autocapitalize: 'none',
    });
    this.nameField = field('Name', this.name);
    this.elements = [field('Hub', this.hub), this.hubs, field('Whom', this.kind), this.nameField];
    this.know(hubs);
    this.#adapt();
  }

  /** The hubs that there are. */
  know(hubs) {
    this.hubs.replaceChildren(...hubs.map((hub) => el('option', { value: hub })));
  }

  #adapt() {
    const { kind } = this.value;
    this.nameField.hidden = kind === 'all';
    this.nameField.firstChild.textContent =
      kind === 'connection' ? 'Connection id' : `${kinds[kind]} ${kind === 'user' ? 'id' : 'name'}`;
    this.name.required = kind !== 'all';
  }

  get value() {
    return { hub: this.hub.value.trim(), kind: this.kind.value, name: this.name.value };
  }
}

/** The address of a view for a target, so that it can be linked to and comes back with the back button. */
export function addressOf(view, { hub, kind, name }) {
  return `#/${view}?${new URLSearchParams({ hub, kind, ...(kind === 'all' ? {} : { name }) })}`;
}
