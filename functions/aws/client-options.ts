/**
 * The same for every client. `standard` retries wait a random part of 50 ms · 2^n before retry n, of 1 s · 2^n when throttled
 * (`@smithy/core`, util-retry): with five attempts at most 0.75 s in all, 15 s when throttled. Whatever outlasts that
 * is `ServiceUnavailable`, and the caller's own retry (state machine, schedule) takes over.
 * Connections are kept alive by default.
 */
export const clientOptions = (region: string) => ({
  region,
  maxAttempts: 5,
  retryMode: 'standard' as const,
  // A Region that is lost does not refuse, it hangs: without limits one call into it would last as long as its function.
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 60_000, throwOnRequestTimeout: true },
});

/** One client per Region, made when first asked for: a client holds the connection pool. */
export function perRegion<Client>(make: (region: string) => Client): (region: string) => Client {
  const clients = new Map<string, Client>();
  return (region) => {
    const client = clients.get(region) ?? make(region);
    clients.set(region, client);
    return client;
  };
}
