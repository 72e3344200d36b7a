import { beforeEach, describe, expect, it } from 'vitest';
import type { LinkSigner } from '../../functions/incidents/ports.ts';

/** What every signer of links must do. */
export function linkSignerContract(makePort: () => Promise<LinkSigner>): void {
  describe('the signer of links', () => {
    let signer: LinkSigner;
    beforeEach(async () => {
      signer = await makePort();
    });

    it('knows what it signed, and nothing else', async () => {
      const signature = await signer.sign('acknowledge/one');
      expect(signature).toMatch(/^[A-Za-z0-9_-]{22}$/);
      expect(await signer.verify('acknowledge/one', signature)).toBe(true);
      expect(await signer.verify('acknowledge/two', signature)).toBe(false);
      const other = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
      expect(await signer.verify('acknowledge/one', other)).toBe(false);
    });

    it('signs the same text the same way', async () => {
      expect(await signer.sign('acknowledge/one')).toBe(await signer.sign('acknowledge/one'));
    });

    it.each(['', 'short', 'x'.repeat(400), '"}{', 'äöü'])('is not moved by %j', async (forged) => {
      expect(await signer.verify('acknowledge/one', forged)).toBe(false);
    });

    it('takes one spelling of a signature only, so that a spent link has no double', async () => {
      const signature = await signer.sign('acknowledge/one');
      for (const spelling of [`${signature}==`, ` ${signature}`, `${signature}\n`]) {
        expect(await signer.verify('acknowledge/one', spelling)).toBe(false);
      }
    });
  });
}
