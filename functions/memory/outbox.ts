import { z } from 'zod';
import { Conflict } from '../common/errors.ts';
import type { Region } from '../common/ids.ts';
import { isSettled } from '../incidents/is-over.ts';
import { IncidentId, Page } from '../incidents/models.ts';
import type { Outbox } from '../incidents/ports.ts';
import { type Failable, failable } from './failable.ts';
import type { ItemStore } from './item-store.ts';
import { items } from './items.ts';

export interface MemoryOutbox extends Outbox, Failable<Outbox> {}

const Pointer = z.strictObject({ incidentId: IncidentId, pageId: Page.shape.pageId });

/** Pages as one Region's functions have them; those of several Regions share a store. */
export function memoryOutbox({ store, region }: { readonly store: ItemStore; readonly region: Region }): MemoryOutbox {
  const pages = items(store, 'pages', Page);
  const unsent = items(store, 'pages-unsent', Pointer);
  const keyOf = ({ incidentId, pageId }: z.output<typeof Pointer>): string => `${incidentId}/${pageId}`;
  const dueKey = (page: Page): string => `${page.home}/${page.dueAt}#${page.pageId}`;
  const list = (page: Page): void => {
    if (isSettled(page)) unsent.delete(dueKey(page));
    else unsent.put(dueKey(page), { incidentId: page.incidentId, pageId: page.pageId });
  };

  return failable<Outbox>({
    async add(page) {
      if (pages.get(keyOf(page))) return false;
      list(page);
      pages.put(keyOf(page), page, 'absent');
      return true;
    },
    async of(incidentId) {
      return [...pages.list(`${incidentId}/`)].sort(oldestFirst);
    },
    async unsent(until, limit) {
      const due = unsent.list(`${region}/`).flatMap((pointer) => pages.get(keyOf(pointer))?.value ?? []);
      return due.filter((page) => !isSettled(page) && Date.parse(page.dueAt) <= until.getTime()).slice(0, limit);
    },
    async update(page) {
      const stored = pages.get(keyOf(page));
      if (stored?.value.version !== page.version) {
        throw new Conflict(`page ${page.pageId} is at version ${stored?.value.version ?? 'none'}, not ${page.version}`);
      }
      const next = { ...page, version: page.version + 1 };
      pages.put(keyOf(page), next, { version: stored.version });
      if (stored.value.dueAt !== page.dueAt) unsent.delete(dueKey(stored.value));
      list(next);
      return next;
    },
  });
}

const oldestFirst = (a: Page, b: Page): number => Date.parse(a.dueAt) - Date.parse(b.dueAt) || (a.pageId < b.pageId ? -1 : 1);
