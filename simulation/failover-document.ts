import { NotFound } from '../functions/common/errors.ts';
import { synthesizedMachines } from '../lib/synthesized.ts';
import { simulatedOperations } from './operations.ts';

/** The machine `failover` exactly as it is deployed; about two seconds. @throws NotFound */
export function failoverDocument(): unknown {
  const machines = synthesizedMachines(simulatedOperations({ mode: 'automatic', budgetSeconds: 60, databases: 1 }));
  const found = machines.find(({ name }) => name === 'failover');
  if (!found) throw new NotFound('no machine "failover" is deployed');
  return found.definition;
}
