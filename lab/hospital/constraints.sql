-- step: departments
ALTER TABLE hospital.departments ADD PRIMARY KEY (id), ADD UNIQUE (code);
ALTER TABLE hospital.practitioners ADD PRIMARY KEY (id), ADD UNIQUE (licence);
ALTER TABLE hospital.practitioners ADD FOREIGN KEY (department_id) REFERENCES hospital.departments;
-- step: patients
ALTER TABLE hospital.patients ADD PRIMARY KEY (id), ADD UNIQUE (mrn);
CREATE INDEX ON hospital.patients (lower(family_name), born_on);
CREATE TRIGGER touch BEFORE UPDATE ON hospital.patients FOR EACH ROW EXECUTE FUNCTION hospital.touch();
-- step: encounters
ALTER TABLE hospital.encounters ADD PRIMARY KEY (id);
CREATE INDEX ON hospital.encounters (patient_id, started_at DESC);
ALTER TABLE hospital.encounters ADD FOREIGN KEY (patient_id) REFERENCES hospital.patients, ADD FOREIGN KEY (practitioner_id) REFERENCES hospital.practitioners, ADD FOREIGN KEY (department_id) REFERENCES hospital.departments;
-- step: appointments
ALTER TABLE hospital.appointments ADD PRIMARY KEY (id);
CREATE INDEX ON hospital.appointments (practitioner_id, starts_at) WHERE status <> 'cancelled';
ALTER TABLE hospital.appointments ADD FOREIGN KEY (patient_id) REFERENCES hospital.patients, ADD FOREIGN KEY (practitioner_id) REFERENCES hospital.practitioners;
-- step: orders
ALTER TABLE hospital.orders ADD PRIMARY KEY (id);
CREATE INDEX ON hospital.orders (encounter_id);
ALTER TABLE hospital.orders ADD FOREIGN KEY (encounter_id) REFERENCES hospital.encounters, ADD FOREIGN KEY (ordered_by) REFERENCES hospital.practitioners;
-- step: prescriptions
ALTER TABLE hospital.prescriptions ADD PRIMARY KEY (id);
CREATE INDEX ON hospital.prescriptions (order_id);
ALTER TABLE hospital.prescriptions ADD FOREIGN KEY (order_id) REFERENCES hospital.orders, ADD FOREIGN KEY (patient_id) REFERENCES hospital.patients;
-- step: results
ALTER TABLE hospital.results ADD PRIMARY KEY (id, observed_at);
CREATE INDEX ON hospital.results (order_id);
ALTER TABLE hospital.results ADD FOREIGN KEY (order_id) REFERENCES hospital.orders;
-- step: billing
ALTER TABLE billing.invoices ADD PRIMARY KEY (id), ADD UNIQUE (number);
CREATE INDEX ON billing.invoices (patient_id);
ALTER TABLE billing.invoices ADD FOREIGN KEY (encounter_id) REFERENCES hospital.encounters, ADD FOREIGN KEY (patient_id) REFERENCES hospital.patients;
ALTER TABLE billing.invoice_lines ADD PRIMARY KEY (invoice_id, line_no);
ALTER TABLE billing.invoice_lines ADD FOREIGN KEY (invoice_id) REFERENCES billing.invoices;
ALTER TABLE billing.payments ADD PRIMARY KEY (id);
CREATE INDEX ON billing.payments (invoice_id);
ALTER TABLE billing.payments ADD FOREIGN KEY (invoice_id) REFERENCES billing.invoices;
-- step: audit
CREATE INDEX ON audit.access (patient_id, at);
