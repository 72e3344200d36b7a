import type { Region } from '../../functions/common/ids.ts';
import type { Probes } from '../../functions/failover/ports.ts';
import type { Regions } from '../regions.ts';

/** Services of the lab answer below this domain, which exists nowhere: `http://<service>.<region>.lab.invalid/`. */
const serviceDomain = 'lab.invalid';

export const serviceUrl = (service: string, region: string): string => `http://${service}.${region}.${serviceDomain}/`;

/** Real HTTP to the region's own server, over the links. */
export function labProbes(regions: Regions): Probes {
  return {
    async http(url, timeoutSeconds) {
      const target = targetOf(url, regions.names);
      const port = target && regions.httpPort(target.region);
      if (port === undefined) return { ok: false, says: 'nobody answers there in the lab' };
      const begun = performance.now();
      try {
        const response = await fetch(`http://127.0.0.1:${port}${target?.path}`, {
          redirect: 'manual',
          headers: { connection: 'close' },
          signal: AbortSignal.timeout(timeoutSeconds * 1000),
        });
        await response.body?.cancel();
        return { ok: response.ok, says: `${response.status} in ${Math.round(performance.now() - begun)} ms` };
      } catch (error) {
        const timedOut = error instanceof Error && error.name === 'TimeoutError';
        return { ok: false, says: timedOut ? `timeout after ${timeoutSeconds} s` : 'refused' };
      }
    },
  };
}

/** Addresses that name a region lead to its server: those of services to their health, AWS's own to the region's. */
function targetOf(url: string, names: readonly Region[]): { readonly region: Region; readonly path: string } | undefined {
  const { hostname } = new URL(url);
  const region = names.find((name) => hostname.split('.').includes(name));
  if (region === undefined) return undefined;
  return { region, path: hostname.endsWith(`.${serviceDomain}`) ? `/services/${hostname.split('.')[0]}` : '/region' };
}
