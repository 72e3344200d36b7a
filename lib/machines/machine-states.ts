import type { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

export const pause = (scope: Construct, name: string, duration: Duration): sfn.Wait =>
  new sfn.Wait(scope, name, { time: sfn.WaitTime.duration(duration) });

/** No state of this execution has failed: catches put what they caught into `$.failure` and nothing takes it out again. */
export const noFailure = sfn.Condition.not(sfn.Condition.isPresent('$.failure'));
