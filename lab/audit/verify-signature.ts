import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { HttpRequest } from '../../functions/common/endpoint.ts';

/** Who may sign, as IAM knows them. */
export interface Principal {
  readonly arn: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** AWS refuses a signature that is older, or as far ahead. */
const SKEW_SECONDS = 300;

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/**
 * What stands before a function URL with AWS_IAM: verifies Signature Version 4, written after AWS's description of it ("Create a signed AWS API request", IAM User Guide) and
 * not with the client's own code.
 *
 * @returns who signed; undefined when nobody whom IAM knows signed exactly this request, for this Region and service, within five minutes
 */
export function signerOf(
  request: HttpRequest,
  {
    region,
    service,
    now,
    principals,
  }: { readonly region: string; readonly service: string; readonly now: Date; readonly principals: readonly Principal[] },
): Principal | undefined {
  const [, accessKeyId, day, toRegion, toService, signedHeaders, signature] = AUTHORIZATION.exec(request.headers.authorization ?? '') ?? [];
  const principal = principals.find((each) => each.accessKeyId === accessKeyId);
  const at = request.headers['x-amz-date'] ?? '';
  if (!principal || !signature || !day || signedHeaders === undefined || toRegion !== region || toService !== service) return undefined;
  if (!isRecent(at, now) || !at.startsWith(day)) return undefined;
  const names = signedHeaders.split(';');
  if (!names.includes('host') || !names.includes('x-amz-date')) return undefined;
  const scope = `${day}/${region}/${service}/aws4_request`;
  const wanted = ['AWS4-HMAC-SHA256', at, scope, sha256(canonicalRequest(request, names))].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<Uint8Array>(hmac, Buffer.from(`AWS4${principal.secretAccessKey}`));
  return timingSafeEqual(hmac(key, wanted), Buffer.from(signature, 'hex')) ? principal : undefined;
}

/** Method, path, query, the headers that are signed, their names, and the hash of the body, a line each. */
function canonicalRequest({ method, path, query, headers, body }: HttpRequest, names: readonly string[]): string {
  const ascending = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : a > b ? 1 : 0);
  const words = Object.entries(query)
    .map(([name, value]) => [encoded(name), encoded(value)] as const)
    .sort(ascending)
    .map(([name, value]) => `${name}=${value}`);
  const lines = names.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`);
  return [method, path.split('/').map(encoded).join('/') || '/', words.join('&'), lines.join(''), names.join(';'), sha256(body)].join('\n');
}

/** `20261122T041500Z` */
function isRecent(text: string, now: Date): boolean {
  const parsed = Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  return Math.abs(now.getTime() - parsed) <= SKEW_SECONDS * 1000;
}

/** Everything but the unreserved characters of RFC 3986. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest();
