import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Profile } from './operations.ts';
import { type AuditPart, auditParts, isAuditPart } from './scenarios/audit.ts';
import { type FailoverPart, failoverParts, isFailoverPart } from './scenarios/failover.ts';
import { type IncidentPart, incidentParts, isIncidentPart } from './scenarios/incident.ts';

const scenarioNames = ['backup', 'failover', 'incident', 'audit', 'healthy'] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export interface LabOptions {
  readonly scenario: ScenarioName;
  readonly sizeBytes: number;
  readonly seed: number;
  readonly json: boolean;
  readonly keep: boolean;
  /** Backups of `healthy`, kills of `failover`. */
  readonly count?: number;
  /** Parts of `failover`, `incident` and `audit`; all of them when left out. */
  readonly only?: readonly (FailoverPart | IncidentPart | AuditPart)[];
  /** `incident`: shows the mailbox in the browser. */
  readonly open: boolean;
  readonly profile: Profile;
  readonly dump?: string;
}

const units = { kb: 1e3, mb: 1e6, gb: 1e9 } as const;

/** `64MB` -> 64 000 000 */
function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(kb|mb|gb)$/i.exec(text.trim());
  const unit = match?.[2]?.toLowerCase();
  if (!match || (unit !== 'kb' && unit !== 'mb' && unit !== 'gb')) throw new InvalidArgumentError('Wanted a size such as 64MB or 1GB.');
  const bytes = Number(match[1]) * units[unit];
  if (bytes < 16e6 || bytes > 200e9) throw new InvalidArgumentError('Wanted between 16MB and 200GB.');
  return bytes;
}

function parseCount(text: string): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1) throw new InvalidArgumentError('Wanted a whole number, at least 1.');
  return Number(text);
}

function parseParts(text: string): readonly (FailoverPart | IncidentPart | AuditPart)[] {
  return text.split(',').map((name) => {
    if (isFailoverPart(name) || isIncidentPart(name) || isAuditPart(name)) return name;
    throw new InvalidArgumentError(
      `There is no part "${name}"; failover has ${failoverParts.join(', ')}, incident ${incidentParts.join(', ')}, and audit ${auditParts.join(', ')}.`,
    );
  });
}

/** The options of `npm run lab`, or undefined when only help was asked for. @throws CommanderError for wrong words; it has been printed */
export function parseLabOptions(argv: readonly string[]): LabOptions {
  const command = new Command('npm run lab --')
    .description(
      'Runs all of Codeblue on this machine: real PostgreSQL in three local Regions, the real tasks, the deployed state machines.',
    )
    .argument('[scenario]', `${scenarioNames.join(' | ')}`, (name: string): ScenarioName => {
      const found = scenarioNames.find((each) => each === name);
      if (!found) throw new InvalidArgumentError(`There is no scenario "${name}"; there are: ${scenarioNames.join(', ')}.`);
      return found;
    })
    .option('--size <size>', 'how much data the invented hospital has', parseSize, 32e6)
    .option('--dump <file>', 'use your own data instead: plain SQL from pg_dump 13 to 18')
    .option('--seed <number>', 'the same seed gives the same data', parseCount, 1)
    .option('--count <number>', 'healthy: backups to take and prove (50). failover: kill the leading Region so often in a row', parseCount)
    .option(
      '--only <parts>',
      `failover: some of ${failoverParts.join(',')}; incident: some of ${incidentParts.join(',')}; audit: some of ${auditParts.join(',')}`,
      parseParts,
    )
    .addOption(new Option('--profile <name>', 'whose objectives and schedules').choices(['hms', 'arocord']).default('hms'))
    .option('--keep', 'keep it running afterwards, for `npm run codeblue -- status --lab` in another terminal; Ctrl-C ends it')
    .option('--open', 'incident: show the mailbox in the browser, and keep the lab running', false)
    .option('--json', 'print one JSON object and nothing else', false)
    .addHelpText(
      'after',
      `
Scenarios:
  backup    back up, restore and compare, copy, damage and refuse, expire, sweep (about a minute)
  failover  lose a Region, cut one off, lag, flap, crash, switch over, damage a table, contain a breach: who writes, what is lost, how long it
            takes (about five minutes)
  incident  an alarm, a page, nobody answers, somebody does; a storm, a dead channel, bad links, a lost Region: who is told, and when (about two minutes)
  audit     applications log in three Regions; sequencers die, a Region is lost; proofs, erasure, exports, tampering found; a key is rotated, a witness
            cosigns, is lost, refuses forks (about a minute and a half)
  healthy   many backups under full write load: every one must verify (no false alarm)

Exit code 0 when every promise held, 1 when one was broken, 2 for a wrong option. ${availableParallelism()} processors here.`,
    )
    .exitOverride();
  command.parse([...argv], { from: 'user' });
  const [scenario = 'backup'] = command.processedArgs as [ScenarioName?];
  const { size, ...rest } = command.opts<{
    size: number;
    dump?: string;
    seed: number;
    count?: number;
    only?: readonly (FailoverPart | IncidentPart)[];
    profile: Profile;
    keep?: boolean;
    open: boolean;
    json: boolean;
  }>();
  return { ...rest, keep: rest.keep ?? rest.open, scenario, sizeBytes: size };
}
