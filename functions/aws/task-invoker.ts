import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { timestamp } from '../common/ids.ts';
import { functionName } from '../common/names.ts';
import type { TaskInvoker } from '../maintenance/ports.ts';
import { clientOptions, perRegion } from './client-options.ts';
import { calling } from './errors.ts';
import type { AwsSettings } from './settings.ts';

const functionsIn = perRegion((region) => new LambdaClient(clientOptions(region)));

/** Invokes the task's function asynchronously, with the event that its schedule would send. */
export function taskInvokerPort({ region, operations }: AwsSettings): TaskInvoker {
  return {
    async invoke({ task, scheduledAt, ...rest }) {
      const command = new InvokeCommand({
        FunctionName: functionName(operations, task),
        InvocationType: 'Event',
        Payload: new TextEncoder().encode(JSON.stringify({ ...rest, scheduledAt: timestamp(scheduledAt) })),
      });
      await calling(`invoke ${task}`, () => functionsIn(region).send(command));
    },
  };
}
