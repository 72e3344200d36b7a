import './without-jit.ts';
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import middy from '@middy/core';
import { z } from 'zod';
import { loadPorts } from '../aws/ports.ts';
import { settingsFromEnvironment } from '../aws/settings.ts';
import { environmentNames } from '../common/names.ts';
import { parseAs } from '../common/parse.ts';
import { portNames } from '../common/ports.ts';
import { operationNamed } from '../tasks.ts';
import { runConsumer } from './run-consumer.ts';
import { runEndpoint } from './run-endpoint.ts';
import { type Host, runStep, runTask } from './run-operation.ts';

/**
 * The one entry point of every function. Which task or step it runs is said by its environment; only the adapters that this
 * one needs are loaded, and they are loaded while the environment starts, not during the first event.
 */
const Environment = z.object({
  [environmentNames.operation]: z.string().min(1),
  [environmentNames.codeSha256]: z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hex'),
});
const environment = parseAs(Environment, process.env, 'the environment');
const operation = operationNamed(environment[environmentNames.operation]);
const settings = settingsFromEnvironment(process.env);
const logger = new Logger({ serviceName: operation.name });

const host: Host = {
  ports: await loadPorts(portNames(operation.needs), settings),
  operations: settings.operations,
  region: settings.region,
  clock: settings.clock,
  log: {
    info: (message, facts = {}) => logger.info(message, facts),
    warn: (message, facts = {}) => logger.warn(message, facts),
    error: (message, facts = {}) => logger.error(message, facts),
  },
  codeSha256: environment[environmentNames.codeSha256],
};

/** Milliseconds kept free before Lambda ends the run, for the ledger and the error to be written. */
const margin = 5_000;

export const handler = middy(async (event: unknown, context: { getRemainingTimeInMillis(): number }) => {
  const deadline = new Date(host.clock.now().getTime() + context.getRemainingTimeInMillis() - margin);
  switch (operation.kind) {
    case 'task':
      return runTask(operation, event, host, deadline);
    case 'step':
      return runStep(operation, event, host, deadline);
    case 'consumer':
      return runConsumer(operation, event, host, deadline);
    case 'endpoint':
      return runEndpoint(operation, event, host, deadline);
  }
}).use(injectLambdaContext(logger));
