import type { Databases } from '../functions/backup/ports.ts';
import type { Clock } from '../functions/common/clock.ts';
import type { Region } from '../functions/common/ids.ts';
import type { Operations } from '../functions/common/operations.ts';
import type { Ports } from '../functions/common/ports.ts';
import type { AnyTask } from '../functions/common/task.ts';
import type { AccountFacts } from '../functions/doctor/ports.ts';

/** A deployment that verbs work on: the one in AWS, or a lab. */
export interface Session<N extends keyof Ports> {
  readonly ports: Pick<Ports, N>;
  readonly operations: Operations;
  readonly clock: Clock;
  readonly region: Region;
}

/** How a deployment is chosen on the command line. */
export interface DeploymentOptions {
  readonly config?: string;
  /** A directory, or true for the newest lab that runs. */
  readonly lab?: string | true;
  readonly region?: string;
  /** In a lab, which knows no identities: who stands before it. */
  readonly as?: string;
}

/** What the command line reaches the world through. */
export interface CliHost {
  /** In the Region that leads, unless one is named. @throws InvalidConfig, InvalidInput, ServiceUnavailable, NotFound */
  open<N extends keyof Ports>(options: DeploymentOptions, names: readonly N[]): Promise<Session<N>>;
  /** In a Region whose coordination table answers, unless one is named: for what must work while the Region that leads is dead. */
  openWhereAnswered<N extends keyof Ports>(options: DeploymentOptions, names: readonly N[]): Promise<Session<N>>;
  /** Who stands before it, as approvals name people: the caller's ARN on AWS, the user of this machine in a lab. */
  principal(options: DeploymentOptions, region: Region): Promise<string>;
  /** The config alone, without asking anything of anybody. `account` is absent for a lab. */
  openForDoctor(options: DeploymentOptions): Promise<{
    readonly operations: Operations;
    readonly clock: Clock;
    readonly account?: { readonly facts: AccountFacts; readonly databases: Pick<Databases, 'describe'> };
  }>;
  /** The registry; read by the verbs that show it, because loading it loads every task. */
  tasks(): Promise<readonly AnyTask[]>;
  runLab(argv: readonly string[]): Promise<number>;
  readFile(path: string): Promise<string>;
  /** Whole or not at all. @throws InvalidInput when it is there and not to be replaced, before anything of `chunks` is asked for */
  writeFile(path: string, chunks: AsyncIterable<string>, options: { readonly replace: boolean }): Promise<void>;
  /** Asks a person; false when they do not say yes. */
  confirm(question: string): Promise<boolean>;
  /** Who acts, for the audit log. */
  readonly operator: string;
  readonly version: string;
}
