import { randomBytes } from 'node:crypto';
import type { HubContract } from '../contract.ts';
import { Activity } from '../hub/activity.ts';
import { HubRuntime } from '../hub/runtime.ts';
import type { HubDefinition } from '../hub.ts';
import type { HubContext } from '../hub-context.ts';
import { hubName } from '../hub-name.ts';
import { createNegotiator } from '../negotiate.ts';
import { stderrLogger, teller } from '../observe.ts';
import { createSigner } from '../token.ts';
import { connectClient } from './connect-client.ts';
import { MemoryGateway } from './memory-gateway.ts';
import type { ConnectOptions, TestConnection } from './test-connection.ts';
import { turn } from './turn.ts';

/** A hub under test, and what an app can do with it from outside its calls. */
export interface TestHub<C extends HubContract> extends HubContext<C>, AsyncDisposable {
  /** Nothing is under way: no call, connect, disconnect or message. Open streams do not count. */
  idle(): Promise<void>;
  /** Ends all connections, `drain`. Later sends reject with ERR_STOPPED. */
  close(): Promise<void>;
  /** Resolves when the hub has answered the handshake; `onConnected` may still run. */
  connect(options?: ConnectOptions): Promise<TestConnection<C>>;
}

/** Whom `stickiness` refers to, and what signs the tokens that nobody checks. */
const serverId = 'test';
const endpoint = new URL('http://localhost');

/**
 * The real hub code and codecs (so a `Date` that turns into text shows) on an in-memory gateway; no sockets, and no timers
 * of its own but that of `next`: nobody is pinged or timed out.
 */
export function testHub<C extends HubContract>(definition: HubDefinition<C>): TestHub<C> {
  const { full: name } = hubName(definition.name);
  const activity = new Activity();
  const gateway = new MemoryGateway(activity, (id, text) => runtime.results.failed(id, text));
  const tell = teller(undefined, stderrLogger);
  const runtime = new HubRuntime(definition, { name, logger: stderrLogger, tell, heartbeat: false, activity });
  const accessKey = randomBytes(32).toString('hex');
  const negotiate = createNegotiator({
    connectionString: { endpoint, accessKey },
    signer: createSigner(accessKey),
    hub: name,
    serverId,
  });
  let count = 0;

  const idle = async (): Promise<void> => {
    do {
      await activity.idle();
      await turn();
    } while (activity.busy);
  };
  const close = async (): Promise<void> => {
    await Promise.all([...runtime.connections.values()].map((one) => one.close('drain', { allowReconnect: true })));
    gateway.close();
    runtime.close();
    await turn();
  };
  return {
    ...runtime.context<C>(gateway, negotiate),
    idle,
    close,
    connect: (options = {}) =>
      connectClient<C>({ runtime, gateway, activity, serverId }, `connection-${++count}`, options),
    [Symbol.asyncDispose]: close,
  };
}
