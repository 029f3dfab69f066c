-- What somebody looks for who knows a tag and not where it is: the beginning of its name, the
-- newest of a name first.
CREATE INDEX tags_name ON tags (name, id DESC);
