import { createHash } from 'node:crypto';
import { canonicalText } from '../../common/canonical-json.ts';
import { after } from '../../common/duration.ts';
import type { FailoverPolicy } from '../../common/failover-policy.ts';
import { timestamp } from '../../common/ids.ts';
import type { ApprovalAnswer, ApprovalQuestion, ApprovalRequest, RunbookQuestion } from '../models.ts';
import { isListed, principalOf } from './principal.ts';

type ApprovalPolicy = FailoverPolicy['approvals'];

/** Whatever people are asked. */
type Question = ApprovalQuestion | RunbookQuestion;
type Asked<Q extends Question> = Omit<ApprovalRequest, 'question'> & { readonly question: Q };

const requesterOf = (question: Question): string => ('plan' in question ? question.plan.requestedBy : question.requestedBy);

/** SHA-256 (hex) of the canonical JSON (RFC 8785) of everything that is agreed to: plan, epoch, question and figures. */
export function questionHash(question: Question): string {
  return createHash('sha256').update(canonicalText(question)).digest('hex');
}

/** What to store and show, so that people can answer it until it expires. */
export function askFor<Q extends Question>(question: Q, { expireAfter }: ApprovalPolicy, now: Date): Asked<Q> {
  return { hash: questionHash(question), question, askedAt: timestamp(now), expiresAt: timestamp(after(now, expireAfter)) };
}

export interface Judgement {
  readonly status: 'approved' | 'rejected' | 'expired' | 'waiting';
  /** Why, in a sentence. */
  readonly says: string;
}

/**
 * What an answer is worth to whoever asked `request`: their own, or the stored one that `Coordination.ask` gave back for it. An answer names
 * its question by the hash, and any other plan, epoch or figure has another hash.
 *
 * Approved: by somebody who is listed and did not ask, given before the expiry and acted on before it. The requester may reject, which
 * is to withdraw. An answer that does not count ends the matter as a rejection, since the first one is final: it must not leave
 * a database closed until the question expires.
 */
export function judgeAnswer(
  request: Asked<Question>,
  answer: ApprovalAnswer | undefined,
  policy: Pick<ApprovalPolicy, 'by'>,
  now: Date,
): Judgement {
  const { question, hash } = request;
  if (questionHash(question) !== hash) return { status: 'rejected', says: 'the request is not the one that its hash names' };
  const expires = Date.parse(request.expiresAt);
  if (now.getTime() >= expires) return { status: 'expired', says: `nobody's answer was acted on before ${request.expiresAt}` };
  if (answer === undefined) return { status: 'waiting', says: `waiting for an answer until ${request.expiresAt}` };
  if (answer.hash !== hash) return { status: 'rejected', says: `the answer of ${answer.by} is about something else` };
  if (Date.parse(answer.at) >= expires) return { status: 'expired', says: `the answer of ${answer.by} came after ${request.expiresAt}` };
  const objection = objectionTo(question, answer, policy);
  if (objection !== undefined) return { status: 'rejected', says: objection };
  return { status: answer.answer, says: `${answer.answer} by ${answer.by} at ${answer.at}` };
}

/**
 * Why this person's answer would not count; undefined when it does. Asked before an answer is stored too, so that a mistake
 * does not use up the question.
 */
export function objectionTo(
  question: Question,
  { by, answer }: Pick<ApprovalAnswer, 'by' | 'answer'>,
  policy: Pick<ApprovalPolicy, 'by'>,
): string | undefined {
  const isRequester = principalOf(by) === principalOf(requesterOf(question));
  if (isRequester && answer === 'approved') return `${by} asked for it, and nobody approves their own request`;
  if (!isRequester && !isListed(by, policy.by)) return `${by} is not listed in failover.approvals.by`;
  return undefined;
}
