import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { systemClock } from '../functions/common/clock.ts';
import { InvalidInput, messageOf, ServiceUnavailable } from '../functions/common/errors.ts';
import type { Region } from '../functions/common/ids.ts';
import type { Operations } from '../functions/common/operations.ts';
import { regionsOf } from '../functions/common/operations-lookup.ts';
import type { Ports } from '../functions/common/ports.ts';
import type { CoordinationRecord } from '../functions/failover/models.ts';
import packageFile from '../package.json' with { type: 'json' };
import { interruptible } from './interruption.ts';
import { loadConfig } from './load-config.ts';
import { MisusedCommand } from './misused-command.ts';
import type { CliHost, DeploymentOptions, Session } from './session.ts';
import { writeWholeFile } from './write-file.ts';

/** The host of the real command line: files, AWS, labs, and the person at the keyboard. */
export function systemHost(): CliHost {
  return {
    operator: operatorName(),
    version: packageFile.version,
    open,
    openWhereAnswered,
    principal,
    openForDoctor,
    tasks: async () => (await import('../functions/tasks.ts')).tasks,
    async runLab(argv) {
      const { runLab } = await import('../lab/main.ts');
      return runLab(argv);
    },
    async readFile(path) {
      return readFile(path, 'utf8').catch((cause: unknown) => {
        throw new InvalidInput(`cannot read ${path}: ${messageOf(cause)}`, { hint: 'Name an existing file.', cause });
      });
    },
    writeFile: (path, chunks, options) => interruptible((signal) => writeWholeFile(path, chunks, { ...options, signal })),
    async confirm(question) {
      const prompt = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
      } finally {
        prompt.close();
      }
    },
  };
}

function operatorName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown'; // a container may run under a user id that has no name
  }
}

/** @throws InvalidInput without credentials */
async function principal({ lab, as }: DeploymentOptions, region: Region): Promise<string> {
  if (lab !== undefined) return as ?? operatorName();
  if (as !== undefined) throw new MisusedCommand('--as is for a lab', { hint: 'On AWS you are whom your credentials name.' });
  const { awsAccountFacts } = await import('../functions/aws/account-facts.ts');
  const identity = await awsAccountFacts(region).identity();
  if (identity) return identity.arn;
  throw new InvalidInput('there are no AWS credentials, and who asks must be known', { hint: 'Sign in, or set AWS_PROFILE.' });
}

/** @throws InvalidInput when the config has no such Region */
function regionFrom(options: DeploymentOptions, operations: Operations, home: Region): Region {
  if (options.region === undefined) return home;
  const known = regionsOf(operations);
  const found = known.find((region) => region === options.region);
  if (found) return found;
  throw new InvalidInput(`${options.region} is no Region of this deployment`, { hint: `It has: ${known.join(', ')}.` });
}

const attach = async (lab: string | true) => (await import('../lab/attach.ts')).attachLab(lab === true ? undefined : lab);

async function open<N extends keyof Ports>(options: DeploymentOptions, names: readonly N[]): Promise<Session<N>> {
  if (options.lab !== undefined) return openLab(options, options.lab);
  const operations = await loadConfig(options.config, process.cwd());
  const region = options.region === undefined ? await leading(operations) : regionFrom(options, operations, operations.regions.primary);
  const ports = await awsPorts(operations, region, names);
  return { ports, operations, clock: systemClock, region };
}

async function openWhereAnswered<N extends keyof Ports>(options: DeploymentOptions, names: readonly N[]): Promise<Session<N>> {
  if (options.lab !== undefined) return openLabWhereAnswered(options, options.lab);
  const operations = await loadConfig(options.config, process.cwd());
  const region =
    options.region === undefined ? (await answering(operations)).region : regionFrom(options, operations, operations.regions.primary);
  const ports = await awsPorts(operations, region, names);
  return { ports, operations, clock: systemClock, region };
}

async function openLab(options: DeploymentOptions, directory: string | true) {
  const lab = await attach(directory);
  return inLab(lab, regionFrom(options, lab.operations, lab.region));
}

const inLab = ({ portsIn, operations, clock }: Awaited<ReturnType<typeof attach>>, region: Region) => ({
  ...{ ports: portsIn(region), operations, clock, region },
});

async function openLabWhereAnswered(options: DeploymentOptions, directory: string | true) {
  const lab = await attach(directory);
  const { primary, standby } = lab.operations.regions;
  if (options.region !== undefined || lab.operations.failover.mode === 'off') {
    return inLab(lab, regionFrom(options, lab.operations, lab.region));
  }
  const { region } = await firstThatAnswers([standby, primary], async (each) => lab.portsIn(each));
  return inLab(lab, region);
}

/** The Region that leads, as far as anybody knows; the configured primary without failover. */
async function leading(operations: Operations): Promise<Region> {
  if (operations.failover.mode === 'off') return operations.regions.primary;
  const { record } = await answering(operations);
  return record?.holder ?? operations.regions.primary;
}

/** Regions with a replica of the coordination table, the standby first: whoever asks in trouble asks because of the primary. */
async function answering(operations: Operations): Promise<{ readonly region: Region; readonly record: CoordinationRecord | undefined }> {
  const { primary, standby } = operations.regions;
  if (operations.failover.mode === 'off') return { region: primary, record: undefined };
  return firstThatAnswers([standby, primary], (region) => awsPorts(operations, region, ['coordination']));
}

/** @throws ServiceUnavailable when none of them answers */
async function firstThatAnswers(regions: readonly Region[], portsIn: (region: Region) => Promise<Pick<Ports, 'coordination'>>) {
  let failure: unknown;
  for (const region of regions) {
    try {
      const { coordination } = await portsIn(region);
      return { region, record: await coordination.peek() };
    } catch (error) {
      if (!(error instanceof ServiceUnavailable)) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function awsPorts<N extends keyof Ports>(operations: Operations, region: Region, names: readonly N[]): Promise<Pick<Ports, N>> {
  const [{ loadPorts }, { settingsFromEnvironment }] = await Promise.all([
    import('../functions/aws/ports.ts'),
    import('../functions/aws/settings.ts'),
  ]);
  const settings = settingsFromEnvironment({ ...process.env, AWS_REGION: region }, { operations });
  // Standard output belongs to the result: metrics, which functions print there, are dropped.
  const ports = await loadPorts(names, { ...settings, writeLine: () => {} });
  if (hasPorts(ports, names)) return ports;
  throw new InvalidInput(`an adapter is missing: ${names.filter((name) => ports[name] === undefined).join(', ')}`);
}

function hasPorts<N extends keyof Ports>(ports: Partial<Ports>, names: readonly N[]): ports is Partial<Ports> & Pick<Ports, N> {
  return names.every((name) => ports[name] !== undefined);
}

async function openForDoctor(options: DeploymentOptions): ReturnType<CliHost['openForDoctor']> {
  if (options.lab !== undefined) {
    const { operations, clock } = await attach(options.lab);
    return { operations, clock };
  }
  const operations = await loadConfig(options.config, process.cwd());
  const region = regionFrom(options, operations, operations.regions.primary);
  const { awsAccountFacts } = await import('../functions/aws/account-facts.ts');
  const { databases } = await awsPorts(operations, region, ['databases']);
  return { operations, clock: systemClock, account: { facts: awsAccountFacts(region), databases } };
}
