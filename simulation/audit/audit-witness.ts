import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import { isConsistent } from '../../functions/audit/log/proofs.ts';
import type { Witnesses } from '../../functions/audit/ports.ts';
import { ServiceUnavailable } from '../../functions/common/errors.ts';
import type { Process } from '../process.ts';
import type { Random } from '../random.ts';
import type { VirtualTime } from '../virtual-time.ts';
import type { AuditMonitor } from './audit-monitor.ts';
import type { Call } from './audit-ports.ts';
import type { WitnessLuck } from './audit-scenario.ts';

type Answer = Awaited<ReturnType<Witnesses['addCheckpoint']>>;

const name = 'witness.simulated';
const cosignatureType = 0x04;
const longestSilenceMilliseconds = 9_000;

const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), hash('sha256', 'simulated witness', 'buffer')]);
const privateKey: KeyObject = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
const publicKey = createPublicKey(privateKey);
const material = Buffer.concat([Buffer.of(cosignatureType), publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)]);
const keyId = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), material]), 'buffer').subarray(0, 4);

/** As the config names it. */
export const simulatedWitness = {
  verifierKey: `${name}+${keyId.toString('hex')}+${material.toString('base64')}`,
  url: `https://${name}`,
} as const;

const cosigned = (text: string, time: bigint): Buffer => Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);

/** Whether a published note carries the witness's cosignature, told without the system's code. */
export function isCosigned(note: string): boolean {
  const [text, lines = ''] = note.split('\n\n');
  const bytes = lines
    .split('\n')
    .filter((line) => line.startsWith(`— ${name} `))
    .map((line) => Buffer.from(line.slice(`— ${name} `.length), 'base64').subarray(4));
  return bytes.some((each) => verify(null, cosigned(`${text}\n`, each.readBigUInt64BE()), publicKey, each.subarray(8)));
}

/** One witness after C2SP tlog-witness: the newest tree that it cosigned of each log is durable, and what does not go on from it is refused. */
export class SimulatedWitness {
  readonly #seen = new Map<string, { readonly size: number; readonly root: Buffer }>();
  readonly #time: VirtualTime;
  readonly #monitor: AuditMonitor;

  constructor(time: VirtualTime, monitor: AuditMonitor) {
    this.#time = time;
    this.#monitor = monitor;
  }

  /** One request at the instant at which it takes effect. */
  addCheckpoint(body: string): Answer {
    const [head = '', text = ''] = body.split('\n\n');
    const [oldLine = '', ...proof] = head.split('\n');
    const [origin = '', sizeLine, rootLine = ''] = text.split('\n');
    const [from, to, toRoot] = [Number(oldLine.slice('old '.length)), Number(sizeLine), Buffer.from(rootLine, 'base64')];
    const known = this.#seen.get(origin);
    if (from !== (known?.size ?? 0)) return { status: 409, contentType: 'text/x.tlog.size', body: `${known?.size ?? 0}\n` };
    const hashes = proof.map((line) => Buffer.from(line, 'base64'));
    if (known && !isConsistent({ from, to, fromRoot: known.root, toRoot, proof: hashes })) {
      this.#monitor.violated(`the witness is shown ${to} entries of ${origin} that do not go on from the ${from} that it knows`);
      return { status: 422, contentType: 'text/plain', body: '' };
    }
    this.#seen.set(origin, { size: to, root: toRoot });
    const seconds = BigInt(1 + Math.floor(this.#time.now / 1_000_000));
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(seconds);
    const signature = sign(null, cosigned(`${text}\n`, seconds), privateKey);
    return { status: 200, contentType: 'text/plain', body: `— ${name} ${Buffer.concat([keyId, time, signature]).toString('base64')}\n` };
  }
}

/** The witness as a process reaches it: requests get lost, answers too, it refuses or takes long, as the seed has it. */
export function witnessesOf(
  witness: SimulatedWitness,
  {
    luck,
    isQuiet,
    random,
    process,
    call,
  }: {
    readonly luck: WitnessLuck | undefined;
    readonly isQuiet: () => boolean;
    readonly random: Random;
    readonly process: Process;
    readonly call: Call;
  },
): Witnesses {
  const happens = (probability: number): boolean => !isQuiet() && random.chance(probability);
  return {
    async addCheckpoint(_, body) {
      if (!luck || happens(luck.lost)) throw new ServiceUnavailable('the witness does not answer');
      if (happens(luck.refused)) return { status: 500, contentType: 'text/plain', body: '' };
      if (happens(luck.late)) await process.clock.sleep(random.int(100, longestSilenceMilliseconds));
      const answer = await call('witness.add-checkpoint', () => witness.addCheckpoint(body));
      if (happens(luck.answerLost)) throw new ServiceUnavailable('the answer of the witness is lost');
      return answer;
    },
  };
}
