-- What of a block was removed while others of it stay: numbers and proofs of those entries, and
-- the proof that Haven removed them.
ALTER TABLE audit_blocks ADD COLUMN removed BYTEA;
ALTER TABLE audit_blocks ADD COLUMN removed_proof BYTEA;

-- How much was stored after the last push or delete of the hour, in bytes.
ALTER TABLE activity ADD COLUMN stored BIGINT NOT NULL DEFAULT 0;
