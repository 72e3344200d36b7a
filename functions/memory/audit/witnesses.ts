import type { Witnesses } from '../../audit/ports.ts';
import { ServiceUnavailable } from '../../common/errors.ts';

type Answer = Awaited<ReturnType<Witnesses['addCheckpoint']>>;

/** Witnesses by the URL that the config names; whoever is not there does not answer. */
export function memoryWitnesses(witnesses: ReadonlyMap<string, (body: string) => Answer> = new Map()): Witnesses {
  return {
    async addCheckpoint(url, body) {
      const witness = witnesses.get(url);
      if (!witness) throw new ServiceUnavailable(`the witness at ${url} does not answer`);
      return witness(body);
    },
  };
}
