import type pg from 'pg';

/** One thing that happens in a hospital. Runs inside a transaction that the writer opens; leaves every rule of the hospital pack true. */
export interface Change {
  readonly name: string;
  /** Out of the sum of all weights. */
  readonly weight: number;
  run(client: pg.ClientBase, random: () => number): Promise<void>;
}

/** A row of a table picked by chance, cheaply: the first at or after a random key. */
const somePatient = `(SELECT id FROM hospital.patients WHERE id >= gen_random_uuid() ORDER BY id LIMIT 1)`;
const someEncounter = `(SELECT id, patient_id, practitioner_id FROM hospital.encounters WHERE id >= gen_random_uuid() ORDER BY id LIMIT 1)`;

const admit: Change = {
  name: 'admit',
  weight: 20,
  async run(client) {
    await client.query(
      `WITH encounter AS (
         INSERT INTO hospital.encounters (patient_id, practitioner_id, department_id, class, started_at, note)
         SELECT p.id, d.id, d.department_id, 'emergency', clock_timestamp(), 'Admitted by the writer of the lab.'
         FROM ${somePatient} p, (SELECT id, department_id FROM hospital.practitioners WHERE id >= gen_random_uuid() ORDER BY id LIMIT 1) d
         RETURNING id, patient_id, practitioner_id)
       INSERT INTO audit.access (at, actor, action, patient_id)
       SELECT clock_timestamp(), 'practitioner/' || practitioner_id, 'write', patient_id FROM encounter`,
    );
  },
};

const orderAndPrescribe: Change = {
  name: 'order-and-prescribe',
  weight: 20,
  async run(client) {
    const { rows } = await client.query<{ id: string; patient_id: string }>(
      `INSERT INTO hospital.orders (encounter_id, kind, code, ordered_by, ordered_at)
       SELECT e.id, 'medication', 'TST-1', e.practitioner_id, clock_timestamp() FROM ${someEncounter} e
       RETURNING id, (SELECT patient_id FROM hospital.encounters WHERE id = encounter_id) AS patient_id`,
    );
    for (const { id, patient_id } of rows) {
      await client.query(
        `INSERT INTO hospital.prescriptions (order_id, patient_id, medication, dose_mg, every, starts_on) VALUES ($1, $2, 'Placebol', 12.5, '8 hours', current_date)`,
        [id, patient_id],
      );
    }
  },
};

const observe: Change = {
  name: 'observe',
  weight: 25,
  async run(client) {
    await client.query(
      `WITH answered AS (
         UPDATE hospital.orders SET status = 'completed'
         WHERE id = (SELECT id FROM hospital.orders WHERE id >= 1 + floor(random() * (SELECT last_value FROM hospital.orders_id_seq))::bigint ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING id)
       INSERT INTO hospital.results (order_id, observed_at, code, value, unit, "referenceRange", payload)
       SELECT id, clock_timestamp(), 'LN-7', round((random() * 100)::numeric, 4), 'mmol/L', numrange(1, 99), '{"device": "SIM-1"}' FROM answered`,
    );
  },
};

const updatePatient: Change = {
  name: 'update-patient',
  weight: 15,
  async run(client) {
    await client.query(
      `UPDATE hospital.patients SET weight_kg = 40 + (random() * 60)::numeric(5,1), address = jsonb_set(address, '{street}', '"1 Moved Street"')
       WHERE id = (SELECT id FROM hospital.patients WHERE id >= gen_random_uuid() ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)`,
    );
  },
};

/** The practitioner's row is the lock: two bookings for one person follow each other. */
const book: Change = {
  name: 'book',
  weight: 10,
  async run(client) {
    const { rows } = await client.query<{ id: string }>(
      `SELECT id FROM hospital.practitioners WHERE id >= gen_random_uuid() ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`,
    );
    for (const { id } of rows) {
      await client.query(
        `INSERT INTO hospital.appointments (patient_id, practitioner_id, starts_at, ends_at, reason)
         SELECT p.id, $1, free.at, free.at + interval '20 min', 'Booked by the writer of the lab'
         FROM ${somePatient} p, (SELECT greatest(max(ends_at), clock_timestamp()) AS at FROM hospital.appointments WHERE practitioner_id = $1 AND status <> 'cancelled') free`,
        [id],
      );
    }
  },
};

const cancelAndDelete: Change = {
  name: 'cancel-and-delete',
  weight: 10,
  async run(client) {
    await client.query(
      `DELETE FROM hospital.prescriptions WHERE id = (SELECT id FROM hospital.prescriptions WHERE id >= 1 + floor(random() * (SELECT last_value FROM hospital.prescriptions_id_seq))::bigint ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)`,
    );
    // Cancelling frees time and never takes any.
    await client.query(
      `UPDATE hospital.appointments SET status = 'cancelled'
       WHERE id = (SELECT id FROM hospital.appointments WHERE id >= 1 + floor(random() * (SELECT last_value FROM hospital.appointments_id_seq))::bigint ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)`,
    );
  },
};

/** Invoice, lines and total in one transaction; a line that was a mistake is rolled back to a savepoint. */
const bill: Change = {
  name: 'bill',
  weight: 15,
  async run(client, random) {
    const { rows } = await client.query<{ id: string }>(
      `INSERT INTO billing.invoices (encounter_id, patient_id, number, issued_at, total, status)
       SELECT e.id, e.patient_id, 'INV-' || gen_random_uuid(), clock_timestamp(), 0, 'issued' FROM ${someEncounter} e RETURNING id`,
    );
    for (const { id } of rows) {
      const line = (number: number) =>
        client.query(
          `INSERT INTO billing.invoice_lines (invoice_id, line_no, description, quantity, unit_price) VALUES ($1, $2, 'Consultation', 2, $3)`,
          [id, number, (1 + Math.floor(random() * 20_000)) / 100],
        );
      await line(1);
      await client.query('SAVEPOINT mistake');
      await line(2);
      await client.query('ROLLBACK TO SAVEPOINT mistake');
      await line(3);
      await client.query(
        `UPDATE billing.invoices SET total = (SELECT sum(amount) FROM billing.invoice_lines WHERE invoice_id = $1) WHERE id = $1`,
        [id],
      );
      if (random() < 0.5) continue;
      await client.query(
        `INSERT INTO billing.payments (invoice_id, amount, method) SELECT id, total, 'card' FROM billing.invoices WHERE id = $1`,
        [id],
      );
      await client.query(`UPDATE billing.invoices SET status = 'paid' WHERE id = $1`, [id]);
    }
  },
};

export const changes: readonly Change[] = [admit, orderAndPrescribe, observe, updatePatient, book, cancelAndDelete, bill];
