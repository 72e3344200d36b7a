import type { Move } from '../../failover/move.ts';
import { tryToWrite } from '../../failover/old-primary.ts';
import type { FailoverStage } from './stage.ts';

const attempts = 20;
/** `read_only_sql_transaction`: what the fence answers. */
const fenced = '25006';

/** F4: the old primary starts again as the primary it was, and takes no write. */
export async function oldPrimaryReturns(
  { world, phases, findings }: FailoverStage,
  { from, to }: Pick<Move, 'from' | 'to'>,
  id = 'return',
): Promise<void> {
  await phases.run('The lost Region comes back', async (say) => {
    await world.revive(from);
    const tried = await tryToWrite(world, from, attempts);
    say(`${tried.refused} of ${attempts} writes refused (${[...tried.codes].join(', ')})`);
    const { holder, phase } = world.record();
    findings.promise(
      `F4.${id}`,
      'The old primary stays fenced when it comes back: it takes no write, and leadership stays.',
      tried.accepted === 0 && tried.codes.size === 1 && tried.codes.has(fenced) && holder === to && phase === 'active',
      `${tried.refused} of ${attempts} writes refused with SQLSTATE ${[...tried.codes].join(', ')}`,
    );
  });
}
