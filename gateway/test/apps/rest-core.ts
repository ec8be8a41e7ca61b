import type { Config } from '../../src/config.ts';
import { type ClientOptions, startAlone } from '../support/cores.ts';
import type { FakeClient } from '../support/fake-client.ts';
import { type RestAnswer, type RestCallOptions, type RestServer, startRest } from './rest-server.ts';

/** The REST door in front of a real core that is alone. */
export interface RestCore extends AsyncDisposable {
  readonly rest: RestServer;
  connect(more?: ClientOptions): Promise<FakeClient>;
  call(method: string, target: string, options?: RestCallOptions): Promise<RestAnswer>;
  /** A POST of JSON. */
  post(target: string, body: unknown): Promise<RestAnswer>;
  /** Puts a client of hub `chat` into a group. */
  join(client: FakeClient, group: string): Promise<void>;
}

export async function startRestCore(config: Partial<Config> = {}): Promise<RestCore> {
  const alone = await startAlone({ config });
  const { router, inquiries, invocations } = alone.core;
  const rest = await startRest(config, { router, inquiries, invocations });
  const post = (target: string, body: unknown): Promise<RestAnswer> =>
    rest.call('POST', target, { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return {
    rest,
    connect: (more) => alone.connect(more),
    call: rest.call,
    post,
    async join({ id }, group) {
      const { status } = await rest.call('PUT', `/api/hubs/chat/groups/${group}/connections/${id}`);
      if (status !== 200) throw new Error(`the join was answered with ${status}`);
    },
    async [Symbol.asyncDispose]() {
      rest.close();
      await alone[Symbol.asyncDispose]();
    },
  };
}
