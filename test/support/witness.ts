import { createHash } from 'node:crypto';
import { type Witness, type WitnessedTree, witness } from '../../lab/audit/witness.ts';

export interface TestWitness extends Witness {
  /** Newest checkpoint that it cosigned, by origin. */
  readonly seen: ReadonlyMap<string, WitnessedTree>;
}

/**
 * The lab's witness with a key of its name, and what it saw in memory.
 *
 * @param given.logs verifier keys by origin
 */
export function testWitness(given: { name: string; logs: ReadonlyMap<string, string>; now: () => Date }): TestWitness {
  const seen = new Map<string, WitnessedTree>();
  const seed = createHash('sha256').update(`witness ${given.name}`).digest();
  return { ...witness({ ...given, seed, memory: seen }), seen };
}
