import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { executionArn, machineArn } from '../common/names.ts';
import type { Executions } from '../maintenance/ports.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling, callingFor, errorNameOf } from './errors.ts';
import type { AwsSettings } from './settings.ts';

const machinesIn = perRegion((region) => new SFNClient(clientOptions(region)));

/** Step Functions. */
export function executionsPort({ operations }: AwsSettings): Executions {
  return {
    async start({ region, machine, name, input }) {
      const command = new StartExecutionCommand({
        stateMachineArn: machineArn(operations, region, machine),
        name,
        input: JSON.stringify(input),
      });
      await calling(`start ${machine} ${name} in ${region}`, async () => {
        try {
          await machinesIn(region).send(command);
        } catch (error) {
          // Step Functions knows a name for 90 days: this is the first start, of this or of an earlier attempt.
          if (errorNameOf(error) !== 'ExecutionAlreadyExists') throw error;
        }
      });
    },
    async describe({ region, machine, name }) {
      const command = new DescribeExecutionCommand({ executionArn: executionArn(operations, region, machine, name) });
      const found = await callingFor(`describe ${machine} ${name} in ${region}`, () => machinesIn(region).send(command));
      if (!found) return undefined;
      if (found.status === 'SUCCEEDED') return { status: 'succeeded' };
      // PENDING_REDRIVE is a failed execution that somebody is about to resume.
      return { status: found.status === 'RUNNING' || found.status === 'PENDING_REDRIVE' ? 'running' : 'failed' };
    },
  };
}
