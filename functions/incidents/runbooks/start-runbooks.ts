import { messageOf, NotFound } from '../../common/errors.ts';
import type { Region } from '../../common/ids.ts';
import type { Logger } from '../../common/logger.ts';
import type { Operations } from '../../common/operations.ts';
import type { Executions } from '../../maintenance/ports.ts';
import type { Incident } from '../models.ts';
import { runbookExecution, runsFor } from './targets.ts';

/**
 * Starts the automated runbooks that these incidents ask for. Asked again for each that is touched, however little it changed: starting a run twice is no error.
 *
 * @throws ServiceUnavailable; a machine that is not deployed yet is no reason to hold signals up, and is said in the log
 */
export async function startRunbooks(
  touched: readonly Incident[],
  {
    executions,
    operations,
    region,
    log,
  }: { readonly executions: Executions; readonly operations: Operations; readonly region: Region; readonly log: Logger },
): Promise<void> {
  for (const request of touched.flatMap((incident) => runsFor(incident, operations, region))) {
    try {
      await executions.start({ ...runbookExecution(request), input: { request } });
    } catch (error) {
      if (!(error instanceof NotFound)) throw error;
      log.error('an automated runbook could not be started', { runId: request.runId, because: messageOf(error) });
    }
  }
}
