-- As on PostgreSQL, to which an index by the blob alone looked like a way to the one row of a
-- repository. Here it held the repository already.
CREATE INDEX repository_blobs_holder ON repository_blobs (blob_id, repository_id);
DROP INDEX repository_blobs_blob;
