import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { InvalidInput } from '../common/errors.ts';
import { executionArn, machineArn } from '../common/names.ts';
import type { Executions } from '../maintenance/ports.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling, callingFor, errorNameOf } from './errors.ts';
import type { AwsSettings } from './settings.ts';

const machinesIn = perRegion((region) => new SFNClient(clientOptions(region)));

/** Step Functions. An execution's id is its ARN. */
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
      return { executionId: executionArn(operations, region, machine, name) };
    },
    async describe(executionId) {
      const region = executionId.split(':')[3];
      if (!region) throw new InvalidInput(`${executionId} is not the ARN of an execution`);
      const command = new DescribeExecutionCommand({ executionArn: executionId });
      const found = await callingFor(`describe ${executionId}`, () => machinesIn(region).send(command));
      if (!found) return undefined;
      if (found.status === 'SUCCEEDED') return { status: 'succeeded' };
      // PENDING_REDRIVE is a failed execution that somebody is about to resume.
      return { status: found.status === 'RUNNING' || found.status === 'PENDING_REDRIVE' ? 'running' : 'failed' };
    },
  };
}
