import type { Region } from '../common/ids.ts';
import type { AnyTask } from '../common/task.ts';

/**
 * The key that an occurrence has in the ledger, which all Regions share. A task of the active Region runs once for the whole deployment,
 * wherever that is by then. One that runs in several Regions runs in each of them: the claim of one Region's sweeper, guardian or observer
 * must not keep the others from running.
 */
export const ledgerKey = (task: Pick<AnyTask, 'runsIn'>, key: string, region: Region): string =>
  task.runsIn === 'active' ? key : [key, region].filter((part) => part !== '').join('@');
