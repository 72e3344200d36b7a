import { Route53RecoveryClusterClient, UpdateRoutingControlStatesCommand } from '@aws-sdk/client-route53-recovery-cluster';
import { NotFound, ServiceUnavailable } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import type { RoutingControls } from '../failover/ports.ts';
import { clientOptions } from './client-options.ts';
import { calling } from './errors.ts';
import type { AwsSettings } from './settings.ts';

/**
 * Routing controls of an ARC cluster, through its data plane: five endpoints in five Regions, any of which serves. Endpoints in a Region that the
 * traffic leaves are not called: what leaves a Region must not need it.
 */
export function routingControlsPort({ operations }: Pick<AwsSettings, 'operations'>): RoutingControls {
  const { arc } = operations.failover.routing;
  return {
    async switchTo(region) {
      if (!arc) return;
      if (!arc.controls[region]) throw new NotFound(`the config has no routing control for ${region}`);
      const UpdateRoutingControlStateEntries = Object.entries(arc.controls).map(([of, RoutingControlArn]) => ({
        RoutingControlArn,
        RoutingControlState: of === region ? ('On' as const) : ('Off' as const),
      }));
      const left = new Set(Object.keys(arc.controls).filter((of) => of !== region));
      const endpoints = arc.clusterEndpoints.filter((endpoint) => !left.has(endpoint.region));
      let failure: unknown = new ServiceUnavailable('the ARC cluster has no endpoint outside of the Regions that are left');
      for (const endpoint of endpoints) {
        const client = clientOf(endpoint);
        const command = new UpdateRoutingControlStatesCommand({ UpdateRoutingControlStateEntries });
        try {
          await calling(`switch the routing controls to ${region} through ${endpoint.region}`, () => client.send(command));
          return;
        } catch (error) {
          if (!(error instanceof ServiceUnavailable)) throw error;
          failure = error;
        }
      }
      throw failure;
    },
  };
}

/** One attempt at each: the next endpoint is the retry. */
const clientOf = ({ region, url }: { readonly region: Region; readonly url: string }): Route53RecoveryClusterClient =>
  new Route53RecoveryClusterClient({
    ...clientOptions(region),
    endpoint: url,
    maxAttempts: 1,
    requestHandler: { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true },
  });
