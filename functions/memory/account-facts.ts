import type { AccountFacts, Quota } from '../doctor/ports.ts';

/** What a modelled account holds. Keys of the records are `<region>/<name or ARN>`. */
export interface MemoryAccount {
  /** Undefined for a process without credentials. */
  readonly identity?: { readonly account: string; readonly arn: string };
  readonly keys?: Readonly<Record<string, { readonly enabled: boolean; readonly state: string }>>;
  readonly secrets?: Readonly<Record<string, { readonly deletedAt?: Date }>>;
  readonly tables?: Readonly<Record<string, { readonly status: string; readonly witness?: string }>>;
  /** By Region. */
  readonly quotas?: Readonly<Record<string, readonly Quota[]>>;
  /** Thrown by every question about this kind of thing, as a missing permission would be. */
  readonly refused?: Partial<Record<keyof AccountFacts, Error>>;
}

export function memoryAccountFacts({
  identity,
  keys = {},
  secrets = {},
  tables = {},
  quotas = {},
  refused = {},
}: MemoryAccount): AccountFacts {
  async function answer<T>(question: keyof AccountFacts, value: T): Promise<T> {
    const refusal = refused[question];
    if (refusal) throw refusal;
    return value;
  }
  return {
    identity: () => answer('identity', identity),
    key: (region, key) => answer('key', keys[`${region}/${key}`]),
    secret: (region, arn) => answer('secret', secrets[`${region}/${arn}`]),
    table: (region, name) => answer('table', tables[`${region}/${name}`]),
    quotas: (region) => answer('quotas', quotas[region] ?? []),
  };
}
