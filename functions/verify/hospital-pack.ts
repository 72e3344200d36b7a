import type { Invariant } from '../common/operations.ts';

/**
 * Rules that hold in any hospital's data, for a schema like the lab's (schemas `hospital` and `billing`). Copy what fits and change the names.
 * Each returns the keys of the rows that break it, never their contents. They are joins and aggregates over whole tables, so they
 * also find what a foreign key that was dropped or never validated would let through.
 *
 * @example
 * database({ id: 'hms', invariants: hospitalPack, ... })
 */
export const hospitalPack: readonly Invariant[] = [
  {
    name: 'orders-have-an-encounter',
    says: 'Every order belongs to an encounter that exists.',
    tables: ['hospital.orders', 'hospital.encounters'],
    sql: 'SELECT o.id FROM hospital.orders o LEFT JOIN hospital.encounters e ON e.id = o.encounter_id WHERE e.id IS NULL',
  },
  {
    name: 'encounters-have-a-patient',
    says: 'Every encounter belongs to a patient who exists.',
    tables: ['hospital.encounters', 'hospital.patients'],
    sql: 'SELECT e.id FROM hospital.encounters e LEFT JOIN hospital.patients p ON p.id = e.patient_id WHERE p.id IS NULL',
  },
  {
    name: 'prescriptions-match-their-order',
    says: 'Every prescription comes from an order, and is for the patient whose encounter that order belongs to.',
    tables: ['hospital.prescriptions', 'hospital.orders', 'hospital.encounters'],
    sql: `SELECT p.id FROM hospital.prescriptions p
          LEFT JOIN hospital.orders o ON o.id = p.order_id
          LEFT JOIN hospital.encounters e ON e.id = o.encounter_id
          WHERE e.patient_id IS DISTINCT FROM p.patient_id`,
  },
  {
    name: 'results-have-an-order',
    says: 'Every result answers an order that exists.',
    tables: ['hospital.results', 'hospital.orders'],
    sql: 'SELECT r.id FROM hospital.results r LEFT JOIN hospital.orders o ON o.id = r.order_id WHERE o.id IS NULL',
  },
  {
    name: 'appointments-do-not-overlap',
    says: 'No practitioner has two appointments at the same time, cancelled ones aside.',
    tables: ['hospital.appointments'],
    sql: `SELECT id FROM (
            SELECT id, starts_at, max(ends_at) OVER (
              PARTITION BY practitioner_id ORDER BY starts_at, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS busy_until
            FROM hospital.appointments WHERE status <> 'cancelled'
          ) AS appointment
          WHERE starts_at < busy_until`,
  },
  {
    name: 'invoice-totals-are-the-sum-of-their-lines',
    says: 'The total of every invoice is the sum of its lines.',
    tables: ['billing.invoices', 'billing.invoice_lines'],
    sql: `SELECT i.id FROM billing.invoices i
          LEFT JOIN (SELECT invoice_id, sum(amount) AS total FROM billing.invoice_lines GROUP BY invoice_id) AS lines ON lines.invoice_id = i.id
          WHERE i.total IS DISTINCT FROM coalesce(lines.total, 0)`,
  },
  {
    name: 'invoice-lines-have-an-invoice',
    says: 'Every invoice line belongs to an invoice that exists.',
    tables: ['billing.invoice_lines', 'billing.invoices'],
    sql: `SELECT l.invoice_id, l.line_no FROM billing.invoice_lines l
          LEFT JOIN billing.invoices i ON i.id = l.invoice_id WHERE i.id IS NULL`,
  },
  {
    name: 'payments-do-not-exceed-the-invoice',
    says: 'Nobody has paid more than the invoice asks, and every payment has an invoice.',
    tables: ['billing.payments', 'billing.invoices'],
    sql: `SELECT paid.invoice_id FROM (SELECT invoice_id, sum(amount) AS total FROM billing.payments GROUP BY invoice_id) AS paid
          LEFT JOIN billing.invoices i ON i.id = paid.invoice_id
          WHERE i.id IS NULL OR paid.total > i.total`,
  },
  {
    name: 'paid-invoices-are-paid',
    says: 'What is marked as paid has been paid in full, and the other way round.',
    tables: ['billing.invoices', 'billing.payments'],
    sql: `SELECT i.id FROM billing.invoices i
          LEFT JOIN (SELECT invoice_id, sum(amount) AS total FROM billing.payments GROUP BY invoice_id) AS paid ON paid.invoice_id = i.id
          WHERE (i.status::text = 'paid') <> (coalesce(paid.total, 0) = i.total)`,
  },
  {
    name: 'invoices-go-to-the-patient-treated',
    says: 'Every invoice goes to the patient of the encounter that it is for.',
    tables: ['billing.invoices', 'hospital.encounters'],
    sql: `SELECT i.id FROM billing.invoices i
          LEFT JOIN hospital.encounters e ON e.id = i.encounter_id
          WHERE e.patient_id IS DISTINCT FROM i.patient_id`,
  },
];
