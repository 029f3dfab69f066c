-- Thousands of repositories hold the same base layer. An index by the blob alone looks to the
-- planner like a way to the one row of a repository, and it would go through all of them.
CREATE INDEX repository_blobs_holder ON repository_blobs (blob_id, repository_id);
DROP INDEX repository_blobs_blob;
