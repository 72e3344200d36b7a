-- Rows are functions of their number and the seed: the same seed gives the same data, in any order and on any number of connections.
-- :patients is replaced by a number. Arrays of enumerations are constants: a cast of each value would look into the catalog for each row. Each step fills one table that nobody else writes.
-- step: departments
INSERT INTO hospital.departments
SELECT i, 'D' || lpad(i::text, 2, '0'), name, time '06:00' + i * interval '15 min', ARRAY['consultation', lower(name)]
FROM unnest(ARRAY['Cardiology', 'Emergency', 'Gastroenterology', 'Imaging', 'Laboratory', 'Maternity', 'Neurology', 'Oncology', 'Orthopaedics', 'Paediatrics', 'Pharmacy', 'Surgery']) WITH ORDINALITY AS d(name, i);
-- step: practitioners
INSERT INTO hospital.practitioners (id, department_id, given_name, family_name, licence, phones, hired_on)
SELECT lab_id('practitioner', i), 1 + i % 12, 'Doctor', 'Invented-' || i, 'LIC-TEST-' || lpad(i::text, 5, '0'), ARRAY['+1-555-01' || lpad((i % 100)::text, 2, '0')], date '2010-01-01' + (lab_hash(i, 1) % 5000)::int
FROM generate_series(1, greatest(:patients / 100, 20)) i;
-- step: patients
INSERT INTO hospital.patients (id, mrn, given_name, family_name, sex, born_on, address, allergies, weight_kg, thumbnail, created_at, updated_at)
SELECT lab_id('patient', i), 'TEST-' || lpad(i::text, 7, '0'),
  (ARRAY['Testa', 'Samplo', 'Demia', 'Mocko', 'Dummia', 'Fixtura', 'Stubbo', 'Zoë', 'Łukasz', '測試'])[1 + lab_hash(i, 1) % 10],
  (ARRAY['Musterfrau', 'Placeholder', 'Nobody', 'Fictive', 'Lorem-Ipsum', 'O''Example', 'van der Test', 'Beispiel'])[1 + lab_hash(i, 2) % 8],
  ('{female,male,other,unknown}'::hospital.sex[])[1 + least(lab_hash(i, 3) % 40 / 13, 3)],
  date '1930-01-01' + (lab_hash(i, 4) % 34000)::int,
  jsonb_build_object('street', lab_hash(i, 5) % 900 + 1 || ' Nowhere Lane', 'city', 'Exampleton', 'zip', lpad((lab_hash(i, 6) % 99999)::text, 5, '0'), 'country', 'XX'),
  CASE WHEN lab_hash(i, 7) % 4 = 0 THEN ARRAY['penicillin', 'latex'] WHEN lab_hash(i, 7) % 4 = 1 THEN ARRAY['nuts'] ELSE '{}' END,
  CASE WHEN lab_hash(i, 8) % 10 > 0 THEN 2.5 + (lab_hash(i, 8) % 1200) / 10.0 END,
  CASE WHEN lab_hash(i, 9) % 5 = 0 THEN decode(repeat(md5(i::text), 32), 'hex') END,
  lab_time(i, 10), lab_time(i, 10) + interval '3 days'
FROM generate_series(1, :patients) i;
-- step: encounters
INSERT INTO hospital.encounters (id, patient_id, practitioner_id, department_id, class, started_at, ended_at, diagnosis_codes, vitals, note)
SELECT lab_id('encounter', i), lab_id('patient', 1 + (i - 1) / 4), lab_id('practitioner', 1 + lab_hash(i, 1) % greatest(:patients / 100, 20)), 1 + lab_hash(i, 2) % 12,
  ('{ambulatory,emergency,inpatient,virtual}'::hospital.encounter_class[])[1 + lab_hash(i, 3) % 4],
  lab_time(i, 4), CASE WHEN lab_hash(i, 5) % 50 > 0 THEN lab_time(i, 4) + lab_hash(i, 5) % 4000 * interval '1 min' END,
  (ARRAY['I10', 'E11.9', 'Z00.0', 'J45.909', 'M54.5'])[1 + lab_hash(i, 6) % 3 : 3 + lab_hash(i, 6) % 3],
  jsonb_build_object('pulse', 50 + lab_hash(i, 7) % 70, 'temperature', 36 + (lab_hash(i, 8) % 40) / 10.0, 'pressure', jsonb_build_array(100 + lab_hash(i, 9) % 60, 60 + lab_hash(i, 9) % 30)),
  phrases[1 + lab_hash(i, 10) % 6] || phrases[1 + lab_hash(i, 11) % 6] || phrases[1 + lab_hash(i, 12) % 6] || repeat(phrases[1 + lab_hash(i, 13) % 6], (lab_hash(i, 14) % 6)::int)
FROM generate_series(1, :patients::bigint * 4) i, (SELECT ARRAY['Patient is invented and in good spirits. ', 'No findings, as nobody was examined. ', E'History:\n\t- none, this is test data\n', 'Follow-up in two weeks advised. ', 'Medication reviewed and unchanged. ', 'Reports mild fictive discomfort since yesterday. '] AS phrases) t;
-- step: appointments
INSERT INTO hospital.appointments (id, patient_id, practitioner_id, starts_at, ends_at, status, reason) OVERRIDING SYSTEM VALUE
SELECT i, lab_id('patient', 1 + lab_hash(i, 1) % :patients), lab_id('practitioner', 1 + i % greatest(:patients / 100, 20)),
  slot, slot + interval '20 min', ('{fulfilled,fulfilled,arrived,booked,cancelled}'::hospital.appointment_status[])[1 + lab_hash(i, 2) % 5], 'Invented reason ' || lab_hash(i, 3) % 40
FROM generate_series(1, :patients::bigint * 3) i, LATERAL (SELECT timestamptz '2025-07-01 06:00Z' + i / greatest(:patients / 100, 20) * interval '20 min' AS slot) s;
-- step: orders
INSERT INTO hospital.orders (id, encounter_id, kind, status, code, urgent, ordered_at, ordered_by, details)
SELECT i, lab_id('encounter', lab_encounter_of(i)), ('{laboratory,laboratory,medication,imaging}'::hospital.order_kind[])[1 + i % 4],
  ('{completed,completed,completed,active,cancelled}'::hospital.order_status[])[1 + lab_hash(i, 2) % 5], 'TST-' || lab_hash(i, 3) % 400, lab_hash(i, 4) % 9 = 0,
  lab_time(lab_encounter_of(i), 4) + interval '10 min', lab_id('practitioner', 1 + lab_hash(i, 5) % greatest(:patients / 100, 20)), json_build_object('specimen', 'none', 'tube', lab_hash(i, 6) % 12)
FROM generate_series(1, :patients::bigint * 6) i;
-- step: prescriptions
INSERT INTO hospital.prescriptions (id, order_id, patient_id, medication, dose_mg, every, starts_on, ends_on)
SELECT i, i * 3, lab_id('patient', 1 + (lab_encounter_of(i * 3) - 1) / 4), (ARRAY['Placebol', 'Nullamine', 'Voidicillin', 'Mockaspirin'])[1 + lab_hash(i, 1) % 4],
  (1 + lab_hash(i, 2) % 100000) / 1000.0, (4 + lab_hash(i, 3) % 20) * interval '1 hour', lab_time(lab_encounter_of(i * 3), 4)::date, CASE WHEN lab_hash(i, 4) % 3 > 0 THEN lab_time(lab_encounter_of(i * 3), 4)::date + 14 END
FROM generate_series(1, :patients::bigint * 2) i;
-- step: results
INSERT INTO hospital.results (id, order_id, observed_at, code, value, unit, "referenceRange", abnormal, score, payload)
SELECT i, 1 + (i - 1) / 2, lab_time(lab_encounter_of(1 + (i - 1) / 2), 4) + interval '3 hours', 'LN-' || lab_hash(i, 2) % 300, (lab_hash(i, 3) % 2000000) / 10000.0, (ARRAY['mmol/L', 'g/dL', 'U/L', 'mg/dL'])[1 + lab_hash(i, 4) % 4],
  numrange(10, 150), lab_hash(i, 3) % 2000000 > 1500000, sqrt(lab_hash(i, 5) % 10000), CASE WHEN i % 6 = 0 THEN jsonb_build_object('device', 'SIM-' || lab_hash(i, 6) % 20, 'runs', lab_hash(i, 7) % 5) END
FROM generate_series(1, :patients::bigint * 12) i;
-- step: invoice lines
INSERT INTO billing.invoice_lines (invoice_id, line_no, description, quantity, unit_price)
SELECT i, n, (ARRAY['Consultation', 'Laboratory panel', 'Imaging', 'Medication', 'Room'])[1 + lab_hash(i * 8 + n, 1) % 5], 1 + lab_hash(i * 8 + n, 2) % 3, (100 + lab_hash(i * 8 + n, 3) % 40000) / 100.0
FROM generate_series(1, :patients::bigint * 2) i, generate_series(1, 2 + lab_hash(i, 4) % 4) n;
-- step: invoices
INSERT INTO billing.invoices (id, encounter_id, patient_id, number, issued_at, total, status)
SELECT i, lab_id('encounter', i * 2), lab_id('patient', 1 + (i * 2 - 1) / 4), 'INV-' || lpad(i::text, 9, '0'), lab_time(i * 2, 4) + interval '1 day',
  (SELECT sum((1 + lab_hash(i * 8 + n, 2) % 3) * ((100 + lab_hash(i * 8 + n, 3) % 40000) / 100.0)) FROM generate_series(1, 2 + lab_hash(i, 4) % 4) n),
  ('{issued,part-paid,paid}'::billing.invoice_status[])[1 + lab_hash(i, 5) % 3]
FROM generate_series(1, :patients::bigint * 2) i;
-- step: payments
INSERT INTO billing.payments (id, invoice_id, paid_at, amount, method)
SELECT lab_id('payment', i), i, lab_time(i * 2, 4) + interval '9 days', CASE WHEN lab_hash(i, 5) % 3 = 2 THEN total ELSE trunc(total * 0.4, 2) END, ('{card,transfer,insurance,cash}'::billing.payment_method[])[1 + lab_hash(i, 6) % 4]
FROM generate_series(1, :patients::bigint * 2) i,
  LATERAL (SELECT sum((1 + lab_hash(i * 8 + n, 2) % 3) * ((100 + lab_hash(i * 8 + n, 3) % 40000) / 100.0)) AS total FROM generate_series(1, 2 + lab_hash(i, 4) % 4) n) t
WHERE lab_hash(i, 5) % 3 > 0;
-- step: audit
INSERT INTO audit.access (at, actor, action, patient_id, address, detail)
SELECT lab_time(i, 1), 'practitioner/' || lab_hash(i, 2) % 500, (ARRAY['read', 'read', 'read', 'write', 'print'])[1 + lab_hash(i, 3) % 5], lab_id('patient', 1 + lab_hash(i, 4) % :patients),
  ('10.' || lab_hash(i, 5) % 200 || '.' || lab_hash(i, 6) % 200 || '.7')::inet, jsonb_build_object('screen', lab_hash(i, 7) % 90)
FROM generate_series(1, :patients::bigint * 8) i;
