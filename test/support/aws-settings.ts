import type { AwsSettings } from '../../functions/aws/settings.ts';
import { settingsFromEnvironment } from '../../functions/aws/settings.ts';
import type { Operations } from '../../functions/common/operations.ts';
import { manualClock } from '../../functions/memory/clock.ts';
import { testOperations } from './operations.ts';

/** Settings of a function of the primary Region, at 07:00 on 21 November 2026. */
export function awsSettings(operations: Operations = testOperations()): AwsSettings {
  const environment = { AWS_REGION: 'us-east-1', ISOLATED_SECURITY_GROUP_ID: 'sg-0isolated' };
  return settingsFromEnvironment(environment, { operations, clock: manualClock('2026-11-21T07:00:00Z') });
}
