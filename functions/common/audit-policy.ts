import { z } from 'zod';
import { Duration } from './duration.ts';
import { Schedule } from './schedule.ts';

/** Lower-case words joined by hyphens, in parts joined by dots: `record.read`. Never a value: an action stands in the leaf, which can not be erased. */
export const ActionName = z
  .string()
  .max(64)
  .regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*(\.[a-z][a-z0-9]*(-[a-z0-9]+)*)*$/, 'lower-case words joined by hyphens and dots');

/** A witness after C2SP tlog-witness: cosigns a checkpoint that it saw to be consistent with the one before. */
const Witness = z.strictObject({
  /** Its verifier key after C2SP signed-note: `<name>+<hash>+<base64>`. */
  verifierKey: z.string().regex(/^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/, 'a verifier key such as witness.example+8c1d2d45+AT...'),
  /** Without `/add-checkpoint`. */
  url: z.url({ protocol: /^https?$/ }),
});

/** The audit log (ADR 10). */
export const AuditPolicy = z.strictObject({
  /** What applications may call what they did, besides `standardActions`. A closed list: a leaf holds the action for ever. */
  actions: z.array(ActionName).max(500),
  clockSkew: z.strictObject({
    /** An event whose time is further ahead of ours is refused: its clock is wrong. */
    ahead: Duration,
    /** An event that is older is refused: whoever kept it so long must say why, to a person. */
    behind: Duration,
  }),
  /** Raised by one to rotate the key: a new log under a new key begins, whose first entry commits to the end of the one before. */
  generation: z.int().min(1).max(1000),
  /** How long entries, tiles and checkpoints cannot be removed by anybody (S3 Object Lock). */
  retention: z.strictObject({ mode: z.enum(['compliance', 'governance']), days: z.int().min(1).max(36_500) }),
  witnesses: z.strictObject({
    use: z.array(Witness).max(20),
    /** Cosignatures that a checkpoint wants before it is published; 0: published without, and told when one is late. */
    quorum: z.int().min(0),
  }),
  watch: z.strictObject({
    /** The whole log, entry by entry. */
    full: Schedule,
    /** Rebuilds the tree from a restored backup of the events. */
    restoreTest: Schedule,
    /** An event that is durable and not in the log after so long is missing. */
    integratedWithin: Duration,
  }),
});
export type AuditPolicy = z.output<typeof AuditPolicy>;
