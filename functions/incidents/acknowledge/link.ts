import { createHash } from 'node:crypto';
import { after } from '../../common/duration.ts';
import { type Region, timestamp } from '../../common/ids.ts';
import type { Operations } from '../../common/operations.ts';
import { AcknowledgeLink, IncidentId, type Page } from '../models.ts';
import { AcknowledgeUrl } from '../paging/page-text.ts';
import type { LinkSigner } from '../ports.ts';

/**
 * A link is `<endpoint>/<claims><signature>`: 21 bytes of claims (the incident's time in 4 and its digest in 5, the link's end in 4, the first 8 bytes of the SHA-256 of
 * the page's id) and 128 bits of HMAC-SHA-256, both in base64url. That short because it stands in an SMS. NIST SP 800-107 allows an HMAC to be cut to 128 bits.
 */
const claimCharacters = 28;
const signatureCharacters = 22;
const token = new RegExp(`^[A-Za-z0-9_-]{${claimCharacters + signatureCharacters}}$`);

/** SHA-256 (hex) of a page's id: what is spent when its link is used. */
const nonceOf = (pageId: string): string => createHash('sha256').update(pageId).digest('hex');

/** What is signed: the claims, and for which deployment and Region they count, so that a link of one never opens another. */
const signedText = ({ name }: Pick<Operations, 'name'>, home: Region, claims: string): string => `acknowledge/v1/${name}/${home}/${claims}`;

function claimsOf(page: Pick<Page, 'incidentId' | 'pageId'>, expiresAt: Date): string {
  const bytes = Buffer.alloc(21);
  const [, slug = '', digest = ''] = page.incidentId.split('-');
  bytes.writeUInt32BE(secondsOfSlug(slug), 0);
  bytes.write(digest, 4, 'hex');
  bytes.writeUInt32BE(Math.floor(expiresAt.getTime() / 1000), 9);
  bytes.write(nonceOf(page.pageId).slice(0, 16), 13, 'hex');
  return bytes.toString('base64url');
}

/** `20261121t070000z` as seconds since 1970. */
function secondsOfSlug(slug: string): number {
  const iso = slug.replace(/^(\d{4})(\d\d)(\d\d)t(\d\d)(\d\d)(\d\d)z$/, '$1-$2-$3T$4:$5:$6Z');
  return Date.parse(iso) / 1000;
}

function readClaims(claims: string): { readonly incidentId: IncidentId; readonly expiresAt: Date; readonly pageDigest: string } {
  const bytes = Buffer.from(claims, 'base64url');
  const opened = new Date(bytes.readUInt32BE(0) * 1000).toISOString().slice(0, 19).replace(/[-:]/g, '').toLowerCase();
  return {
    incidentId: IncidentId.parse(`inc-${opened}z-${bytes.toString('hex', 4, 9)}`),
    expiresAt: new Date(bytes.readUInt32BE(9) * 1000),
    pageDigest: bytes.toString('hex', 13, 21),
  };
}

/**
 * The link of a page, good until `linkLasts` after `now`.
 *
 * @returns undefined where this Region has no endpoint, or one whose address is too long to stand in an SMS
 * @throws ServiceUnavailable
 */
export async function acknowledgeUrl(
  page: Pick<Page, 'incidentId' | 'pageId' | 'home'>,
  { operations, linkSigner }: { readonly operations: Operations; readonly linkSigner: LinkSigner },
  now: Date,
): Promise<AcknowledgeUrl | undefined> {
  if (linkSigner.address === undefined) return undefined;
  const claims = claimsOf(page, after(now, operations.incidents.linkLasts));
  const signature = await linkSigner.sign(signedText(operations, page.home, claims));
  return AcknowledgeUrl.safeParse(`${linkSigner.address}/${claims}${signature}`).data;
}

/** What a token claims, once its signature has been found to be ours. */
export interface OpenedLink {
  readonly incidentId: IncidentId;
  readonly expiresAt: Date;
  /** The page that it came with, among those of its incident. */
  linkOf(pages: readonly Page[]): AcknowledgeLink | undefined;
}

/** @returns undefined for what this Region's key did not sign @throws ServiceUnavailable */
export async function openLink(
  text: string,
  { operations, linkSigner, region }: { readonly operations: Operations; readonly linkSigner: LinkSigner; readonly region: Region },
): Promise<OpenedLink | undefined> {
  if (!token.test(text)) return undefined;
  const claims = text.slice(0, claimCharacters);
  if (!(await linkSigner.verify(signedText(operations, region, claims), text.slice(claimCharacters)))) return undefined;
  const { incidentId, expiresAt, pageDigest } = readClaims(claims);
  return {
    incidentId,
    expiresAt,
    linkOf(pages) {
      const page = pages.find(({ pageId }) => nonceOf(pageId).startsWith(pageDigest));
      if (!page) return undefined;
      const { home, person, pageId } = page;
      return AcknowledgeLink.parse({ incidentId, home, person, pageId, expiresAt: timestamp(expiresAt), nonce: nonceOf(pageId) });
    },
  };
}
