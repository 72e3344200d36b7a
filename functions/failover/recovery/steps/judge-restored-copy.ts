import { formatSeconds, minutes } from '../../../common/duration.ts';
import { InvalidInput } from '../../../common/errors.ts';
import { defineStep } from '../../../common/task.ts';
import type { VerificationRecord } from '../../../verify/models.ts';
import { soundnessOf, type Verdict } from '../../../verify/verification.ts';
import { RecoveryRecord } from '../models.ts';
import { found, inPhase, wrong } from './recovery-step.ts';

/** What takes the live database's place has answered every question that a verification asks. */
export const judgeRestoredCopy = defineStep({
  name: 'judge-restored-copy',
  summary: 'Judges whether the restored copy is sound enough to take the place of the damaged database.',
  timeout: minutes(1),
  needs: [],
  input: RecoveryRecord,
  async run(given, { clock }) {
    const record = inPhase(given, 'inspect', clock.now());
    const { verification } = record;
    if (!verification) throw new InvalidInput('the record of the recovery has no copy to judge');
    const { verdict, checks } = soundnessOf(verification);
    if (verdict === 'refused') return wrong(record, 'stopped', `the restored copy is not sound: ${failuresIn(checks)}`);
    const sentence = verdictSentence(verification, checks);
    return { ...found(record, 'sound', sentence), verdict: sentence };
  },
});

/** Names of checks and their findings: counts and names of objects. */
const failuresIn = (checks: Verdict['checks']): string =>
  checks
    .filter(({ result }) => result === 'failed')
    .map(({ id, findings }) => `${id} (${findings.slice(0, 3).join('; ')})`)
    .join(', ');

/** For whoever is asked whether the copy may take the place. */
function verdictSentence({ measured }: VerificationRecord, checks: Verdict['checks']): string {
  const { tables, rows, lossSeconds } = measured;
  const passed = checks.filter(({ result }) => result === 'passed').length;
  const canary =
    lossSeconds === undefined ? '' : `; its newest canary is ${formatSeconds(lossSeconds)} older than the moment that it shows`;
  const size = tables === undefined || rows === undefined ? '' : `, in ${tables} tables with ${rows} rows`;
  return `${passed} checks passed and none failed${size}${canary}`.slice(0, 500);
}
