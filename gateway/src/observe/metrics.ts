import { appMetrics } from './metrics-apps.ts';
import { backplaneMetrics } from './metrics-backplane.ts';
import { clientMetrics } from './metrics-clients.ts';
import { processMetrics } from './metrics-process.ts';

/** The metrics by what they are about, in the order of the docs. */
export const metricGroups = {
  Health: processMetrics,
  Clients: clientMetrics,
  Apps: appMetrics,
  'Other nodes': backplaneMetrics,
} as const;

/** Every metric there is. `docs/metrics.md` is made from this table. */
export const metrics = { ...processMetrics, ...clientMetrics, ...appMetrics, ...backplaneMetrics } as const;

/** The name of a metric: one key of {@link metrics}. */
export type MetricName = keyof typeof metrics;
