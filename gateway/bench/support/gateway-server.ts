import { readConfig } from '../../dist/config.js';
import { startGateway } from '../../dist/gateway.js';
import { serve } from './child.ts';
import { settledUsage, usage } from './usage.ts';

/** A whole gateway, with the settings of its environment. */
const gateway = await startGateway(readConfig(process.env));
serve({ port: () => gateway.port, usage, settledUsage });
