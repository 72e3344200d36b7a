import { gzipSync } from 'node:zlib';
import { sha256Hex } from '../../verify/proof.ts';
import type { EvidenceEvent } from '../ports.ts';
import type { BreachRequest } from './models.ts';

type Of = Pick<BreachRequest, 'breachId'>;

/** Everything about a breach lies below its id. */
const below = ({ breachId }: Of, name: string): string => `breaches/${breachId}/${name}`;

export const reportStem = (request: Of): string => below(request, 'report');
export const manifestKey = (request: Of): string => below(request, 'manifest.json');
export const logsPrefix = (request: Of): string => below(request, 'logs/');

/** A page of a log group as an object. */
export interface EvidenceObject {
  readonly key: string;
  readonly bytes: Uint8Array;
}

const contentInKey = /\/(?<group>\d{4})\/(?<page>\d{6})-(?<sha256>[0-9a-f]{64})\.ndjson\.gz$/;

/**
 * One line of JSON for each event, compressed. The key holds the SHA-256 of the object as it is stored: a page that is read again after a crash and holds events that
 * arrived meanwhile is an object beside the first one, and nothing is ever overwritten.
 */
export function evidenceObject(request: Of, group: number, page: number, events: readonly EvidenceEvent[]): EvidenceObject {
  const lines = events.map(({ id, at, stream, message }) => `${JSON.stringify({ id, at, stream, message })}\n`).join('');
  const bytes = gzipSync(lines);
  const place = `${String(group).padStart(4, '0')}/${String(page).padStart(6, '0')}`;
  return { key: `${logsPrefix(request)}${place}-${sha256Hex(bytes)}.ndjson.gz`, bytes };
}

/** What a key says of its object; undefined for one that was not made here. */
export function partsOfKey(key: string): { readonly group: number; readonly page: number; readonly sha256: string } | undefined {
  const { group, page, sha256 } = contentInKey.exec(key)?.groups ?? {};
  if (group === undefined || page === undefined || sha256 === undefined) return undefined;
  return { group: Number(group), page: Number(page), sha256 };
}
