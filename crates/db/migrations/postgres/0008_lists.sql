-- What lists need to find a far page without a look at its rows.

-- The order of a list of projects, and all that a page is found by.
CREATE INDEX projects_page ON projects (name, id);
