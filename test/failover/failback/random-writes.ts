import type { SqlSession } from '../../../functions/verify/ports.ts';

export const schema = `
create table patient (id bigint primary key, name text not null, born date default '1970-01-01', stamp text not null);
create table "Lab Result" (patient_id bigint not null, taken timestamptz not null, code text, value numeric, stamp text not null,
  primary key (patient_id, taken, code));
create table document (id uuid primary key, body json not null, stamp text not null);
create table journal (who bigint, what text, stamp text not null);
create table twins (what text not null);
insert into patient select i, 'name ' || i, '1970-01-01', 'base' from generate_series(0, 2999) i;
insert into "Lab Result" select i % 500, timestamptz '2026-01-01 12:00' + i * interval '137 milliseconds', 'c' || i % 5, i / 3.0, 'base'
  from generate_series(0, 1999) i;
insert into document select md5(i::text)::uuid, '{"n":\n 1}', 'base' from generate_series(0, 299) i;
insert into journal select i, 'entry', 'base ' || i from generate_series(0, 999) i;
insert into twins select 'twin ' || i % 7 from generate_series(0, 699) i`;

type Random = (below: number) => number;

/**
 * One client that writes at random: savepoints, rollbacks, several tables in a transaction. Each write leaves a stamp that no other has, so
 * that contents alone tell afterwards who wrote what. It works on the keys of its own lane, so clients never wait for each other.
 */
export class RandomWriter {
  readonly #session: SqlSession;
  readonly #random: Random;
  readonly #lane: number;
  readonly #lanes: number;
  readonly #name: string;
  #inTransaction = false;
  #savepoints = 0;
  #count = 0;

  constructor(session: SqlSession, who: { readonly name: string; readonly lane: number; readonly lanes: number; readonly random: Random }) {
    this.#session = session;
    this.#random = who.random;
    this.#lane = who.lane;
    this.#lanes = who.lanes;
    this.#name = who.name;
  }

  async step(): Promise<void> {
    const random = this.#random;
    if (!this.#inTransaction && random(3) === 0) await this.#control('begin', true);
    else if (this.#inTransaction && random(6) === 0) await this.#control(random(4) === 0 ? 'rollback' : 'commit', false);
    else if (this.#inTransaction && random(4) === 0) await this.#savepoint();
    await this.#write();
  }

  async finish(): Promise<void> {
    if (this.#inTransaction) await this.#control('commit', false);
    await this.#session.close();
  }

  async #control(text: string, inTransaction: boolean): Promise<void> {
    await this.#session.query(text);
    this.#inTransaction = inTransaction;
    this.#savepoints = 0;
  }

  async #savepoint(): Promise<void> {
    if (this.#savepoints > 0 && this.#random(2) === 0) {
      const name = `s${this.#savepoints}`;
      await this.#session.query(this.#random(2) === 0 ? `rollback to ${name}` : `release ${name}`);
      this.#savepoints--;
    } else {
      this.#savepoints++;
      await this.#session.query(`savepoint s${this.#savepoints}`);
    }
  }

  /** A key of this lane: of the first rows, which both sides change, or a new one. */
  #id(below: number): number {
    return this.#random(below) * this.#lanes + this.#lane;
  }

  #write(): Promise<unknown> {
    const stamp = `${this.#name} ${++this.#count}`;
    const query = (text: string, ...values: readonly (string | number)[]) => this.#session.query(text, values);
    const fresh = 10_000 + this.#id(500);
    switch (this.#random(12)) {
      case 0:
        return query('insert into patient (id, name, stamp) values ($1, $2, $2) on conflict (id) do update set stamp = $2', fresh, stamp);
      case 1:
        return query('update patient set stamp = $2 where id = $1', this.#id(100), stamp);
      case 2:
        return query('delete from patient where id = $1', this.#id(100));
      case 3:
        return query(
          'update patient set id = id + 100000, stamp = $2 where id = $1 and not exists (select from patient where id = $1 + 100000)',
          this.#id(100),
          stamp,
        );
      case 4:
        return query('update "Lab Result" set stamp = $2, value = value + 1 where patient_id = $1', this.#id(60), stamp);
      case 5:
        return query('delete from "Lab Result" where patient_id = $1 and code = $2', this.#id(60), `c${this.#random(5)}`);
      case 6:
        return query(
          `insert into "Lab Result" values ($1, date_trunc('milliseconds', clock_timestamp()), 'new', 1.50, $2) on conflict do nothing`,
          this.#id(60),
          stamp,
        );
      case 7:
        return query(`update document set body = '{"a":\n1}', stamp = $2 where id = md5($1::text)::uuid`, this.#id(30), stamp);
      case 8:
        return query('insert into journal values ($1, $2, $2)', this.#id(100), stamp);
      case 9:
        return query('delete from journal where who = $1', this.#id(60));
      case 10:
        return query('update journal set stamp = $2 || ctid::text where who = $1', this.#id(60), stamp);
      default:
        return query(
          'update patient set stamp = $2 where id between $1 and $1 + 5 and id % $3 = $4',
          this.#id(100),
          stamp,
          this.#lanes,
          this.#lane,
        );
    }
  }
}
