import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { allowancesPort } from '../../functions/aws/allowances.ts';
import { clientOptions } from '../../functions/aws/client-options.ts';
import { dynamoIn } from '../../functions/aws/dynamodb.ts';
import { signalQueuePort } from '../../functions/aws/signal-queue.ts';
import { queueName, queueNames, queueUrl } from '../../functions/common/names.ts';
import { regionsOf } from '../../functions/common/operations-lookup.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { allowancesContract } from '../contracts/allowances.contract.ts';
import { signalQueueContract } from '../contracts/signal-queue.contract.ts';
import { home } from '../support/incidents.ts';
import { createTables, motoSettings, resetMoto } from '../support/moto.ts';

signalQueueContract(async () => {
  await resetMoto();
  const settings = motoSettings(manualClock('2026-11-21T07:00:00Z'));
  const sqs = new SQSClient({ ...clientOptions(settings.region), useQueueUrlAsEndpoint: false });
  for (const queue of queueNames) await sqs.send(new CreateQueueCommand({ QueueName: queueName(settings.operations, queue) }));
  return {
    signalQueue: signalQueuePort(settings),
    async taken(queue) {
      const QueueUrl = queueUrl(settings.operations, settings.region, queue);
      const bodies: string[] = [];
      for (;;) {
        const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
        if (Messages.length === 0) return bodies;
        for (const { Body = '', ReceiptHandle } of Messages) {
          bodies.push(Body);
          await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
        }
      }
    },
  };
});

allowancesContract(
  async () => {
    await resetMoto();
    await createTables();
    const settings = motoSettings(manualClock('2026-11-21T07:00:00Z'));
    // moto replicates nothing: the other Region's replica is the one table that there is.
    for (const region of regionsOf(settings.operations)) dynamoIn(region).config.region = async () => settings.region;
    return { allowances: allowancesPort({ ...settings, region: home }), in: (region) => allowancesPort({ ...settings, region }) };
  },
  { atOnce: false },
);
