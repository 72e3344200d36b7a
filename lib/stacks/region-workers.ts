import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { Region } from '../../functions/common/ids.ts';
import { environmentNames } from '../../functions/common/names.ts';
import type { Need } from '../../functions/common/ports.ts';
import type { AnyOperation, AnyTask } from '../../functions/common/task.ts';
import { runsHere } from '../../functions/maintenance/runs-here.ts';
import type { RehearsalNetwork } from '../failover/rehearsal-network.ts';
import type { IsolatedNetwork } from '../network/isolated-network.ts';
import type { AlarmTopic } from '../shared/alarm-topic.ts';
import { type BundledCode, type FunctionNetwork, OperationsFunction } from '../shared/operations-function.ts';
import type { RegionScope } from '../shared/region-scope.ts';
import type { RegionalKeys } from '../shared/regional-keys.ts';

/** What the functions and machines of one Region stand on. */
export interface RegionGround {
  readonly scope: RegionScope;
  readonly keys: RegionalKeys;
  readonly topic: AlarmTopic;
  readonly tasks: readonly AnyTask[];
  readonly bundle: BundledCode;
  /** Where the live databases of this Region are; undefined where none is. */
  readonly production: FunctionNetwork | undefined;
  readonly isolated: IsolatedNetwork | undefined;
  readonly rehearsal: RehearsalNetwork | undefined;
  /** Where the links of this Region's pages lead; undefined where nobody is paged. */
  readonly acknowledgeUrl?: string | undefined;
}

/** What makes databases in the isolated network: restores, and clones of Aurora to rehearse with. */
const madeIsolated: ReadonlySet<Need> = new Set(['databases:restore', 'replicas:rehearse']);

/** Makes the functions of one stack; CDK binds the code to the stack that it is made for. */
export class RegionWorkers {
  readonly code: Code;
  readonly #stack: Construct;
  readonly #ground: RegionGround;

  constructor(stack: Construct, ground: RegionGround) {
    this.#stack = stack;
    this.#ground = ground;
    this.code = ground.bundle.code();
  }

  /** @param reach denials that stand above what the operation needs, whether it is granted nothing in other Regions, or where else it works */
  make(
    operation: AnyOperation,
    reach: { readonly denials?: IManagedPolicy; readonly staysHome?: boolean; readonly alsoIn?: readonly Region[] } = {},
  ): OperationsFunction {
    const { scope, keys, tasks, bundle } = this.#ground;
    return new OperationsFunction(this.#stack, {
      scope,
      operation,
      keys,
      code: this.code,
      codeSha256: bundle.sha256,
      // Tasks of this Region that may be run late: others nobody invokes.
      taskNames: tasks.filter((task) => task.catchUp && runsHere(task, scope.operations, scope.region)).map((task) => task.name),
      network: this.#networkOf(operation),
      environment: this.#environmentOf(operation),
      ...reach,
    });
  }

  #networkOf({ network }: AnyOperation): FunctionNetwork | undefined {
    const { production, isolated } = this.#ground;
    return { none: undefined, production, 'production-if-any': production, isolated: isolated?.verifiers }[network];
  }

  #environmentOf({ needs }: AnyOperation): Readonly<Record<string, string>> {
    const { isolated, rehearsal, acknowledgeUrl } = this.#ground;
    return {
      ...(acknowledgeUrl !== undefined && needs.includes('link-signer:sign') ? { [environmentNames.acknowledgeUrl]: acknowledgeUrl } : {}),
      ...(isolated && needs.some((need) => madeIsolated.has(need))
        ? { [environmentNames.isolatedSecurityGroup]: isolated.restoredGroup.securityGroupId }
        : {}),
      ...(rehearsal && needs.includes('replicas:rehearse')
        ? { [environmentNames.rehearsalSecurityGroup]: rehearsal.rehearsalGroup.securityGroupId }
        : {}),
    };
  }
}
