import type { ServiceMessageOf } from './protocol/service.ts';

/** What a hub's runtime does with questions to clients and their answers. */
export interface ResultsHub {
  readonly results: {
    completed(invocationId: string, protocol: string, frame: Uint8Array): void;
    failed(invocationId: string, text: string): void;
  };
  expect(invocationId: string, connectionId: string): void;
}

/** Questions whose place is remembered; the oldest are forgotten, and end by their deadline. */
const mostPlaces = 10_000;

/** Messages 34 to 37 from the service (service protocol, 13): this server asked, or carries the client that is asked. */
export class LinkResults {
  readonly #hub: ResultsHub;
  /** For questions of ours, the instance of the service that has the client. */
  readonly #places = new Map<string, { instanceId: string; connectionId: string }>();

  constructor(hub: ResultsHub) {
    this.#hub = hub;
  }

  /** 34: another server asks a client of ours; its answer will be on the way soon. */
  asked({ invocationId, connectionId }: ServiceMessageOf<'ClientInvocation'>): void {
    this.#hub.expect(invocationId, connectionId);
  }

  /** 35: the answer to a question of ours. */
  answered({ invocationId, protocol, payload }: ServiceMessageOf<'ClientCompletion'>): void {
    this.#places.delete(invocationId);
    this.#hub.results.completed(invocationId, protocol, payload);
  }

  /** 36: there will be no answer. */
  failed({ invocationId, error }: ServiceMessageOf<'ErrorCompletion'>): void {
    this.#places.delete(invocationId);
    this.#hub.results.failed(invocationId, error);
  }

  /** 37: where the client of a question is. */
  placed({ invocationId, instanceId, connectionId }: ServiceMessageOf<'ServiceMapping'>): void {
    this.#places.set(invocationId, { instanceId, connectionId });
    const [oldest] = this.#places.keys();
    if (this.#places.size > mostPlaces && oldest !== undefined) this.#places.delete(oldest);
  }

  /** An instance of the service is gone with its clients. */
  offline(instance: string): void {
    for (const [invocationId, { instanceId, connectionId }] of this.#places) {
      if (instanceId !== instance) continue;
      this.#places.delete(invocationId);
      this.#hub.results.failed(invocationId, `Connection '${connectionId}' is disconnected.`);
    }
  }
}
