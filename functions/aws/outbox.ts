import { z } from 'zod';
import { Conflict } from '../common/errors.ts';
import { timestamp } from '../common/ids.ts';
import { isSettled } from '../incidents/is-over.ts';
import { IncidentId, Page } from '../incidents/models.ts';
import type { Outbox } from '../incidents/ports.ts';
import { documentsIn } from './dynamodb.ts';
import type { AwsSettings } from './settings.ts';
import { stateItems, stateKeys, unsentPages, unsentUntil } from './state-items.ts';
import { writeTogether } from './transactions.ts';

const Pointer = z.strictObject({ incidentId: IncidentId, pageId: Page.shape.pageId });

/** Pages in the state table, and beside them the list of those of each home that still have to be sent. A page's own `version` is one less than its item's. */
export function outboxPort(settings: AwsSettings): Outbox {
  const { region, stateTable } = settings;
  const documents = documentsIn(region);
  const pages = stateItems(settings, Page);
  const unsent = stateItems(settings, Pointer);
  const keyOf = ({ incidentId, pageId }: z.output<typeof Pointer>) => stateKeys.page(incidentId, pageId);
  const listed = (page: Page) =>
    unsent.putPart(stateKeys.unsentPage(page), { incidentId: page.incidentId, pageId: page.pageId }, 0, { over: {} });
  const takenOff = (page: Page) => ({ Delete: { TableName: stateTable, Key: stateKeys.unsentPage(page) } });

  return {
    async add(page) {
      const parts = [pages.putPart(keyOf(page), page, page.version, { over: { ConditionExpression: 'attribute_not_exists(pk)' } })];
      try {
        await writeTogether(documents, `add page ${page.pageId}`, isSettled(page) ? parts : [...parts, listed(page)]);
        return true;
      } catch (error) {
        if (error instanceof Conflict && (await pages.get(keyOf(page)))) return false;
        throw error;
      }
    },
    async of(incidentId) {
      const found: Page[] = [];
      for await (const page of pages.list(`pages#${incidentId}`, 'ascending')) found.push(page);
      return found.sort((a, b) => Date.parse(a.dueAt) - Date.parse(b.dueAt) || (a.pageId < b.pageId ? -1 : 1));
    },
    async unsent(until, limit) {
      const pointers: z.output<typeof Pointer>[] = [];
      for await (const pointer of unsent.list(unsentPages(region), 'ascending', unsentUntil(timestamp(until)))) {
        pointers.push(pointer);
        if (pointers.length === limit) break;
      }
      const found = await Promise.all(pointers.map((pointer) => pages.get(keyOf(pointer))));
      return found.flatMap((each) => (each && !isSettled(each.body) ? [each.body] : []));
    },
    async update(page) {
      const stored = await pages.get(keyOf(page));
      if (stored?.body.version !== page.version) {
        throw new Conflict(`page ${page.pageId} is at version ${stored?.body.version ?? 'none'}, not ${page.version}`);
      }
      const next = { ...page, version: page.version + 1 };
      const moved = stored.body.dueAt !== next.dueAt ? [takenOff(stored.body)] : [];
      const parts = [pages.putPart(keyOf(page), next, stored.version), ...moved, isSettled(next) ? takenOff(next) : listed(next)];
      await writeTogether(documents, `update page ${page.pageId}`, parts);
      return next;
    },
  };
}
