-- What artifacts are, what belongs to them, and which of them a repository shows.

-- kind is Harbor's type, icon the digest of an icon of its own, extra_attrs what its content
-- says of it, as JSON. is_root is whether lists show it: it is no accessory, and it is no part
-- of an index unless it has a tag. The triggers below keep it.
-- From now on config_media_type is Harbor's media_type and never null: that of the
-- configuration, of an index its own or the one that its annotations give it. size counts the
-- manifest and all that it lists, as often as it lists it.
ALTER TABLE artifacts ADD COLUMN kind TEXT NOT NULL DEFAULT 'UNKNOWN';
ALTER TABLE artifacts ADD COLUMN icon TEXT;
ALTER TABLE artifacts ADD COLUMN is_root BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE artifacts ADD COLUMN extra_attrs TEXT;

-- Where else the content of an index's entry can be had, as JSON.
ALTER TABLE artifact_children ADD COLUMN urls TEXT;

-- Artifacts that are about another one of their repository, such as signatures. What they are
-- about is named by digest and need not be there.
CREATE TABLE accessories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    artifact_id BIGINT NOT NULL REFERENCES artifacts (id) ON DELETE CASCADE,
    repository_id BIGINT NOT NULL REFERENCES repositories (id),
    subject_digest TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (artifact_id, subject_digest)
);
CREATE INDEX accessories_subject ON accessories (repository_id, subject_digest, id);

-- How many roots a repository has is the sum of its rows. On PostgreSQL there are several, so
-- that those who push into one repository do not wait for each other.
CREATE TABLE artifact_counts (
    repository_id BIGINT NOT NULL REFERENCES repositories (id) ON DELETE CASCADE,
    shard BIGINT NOT NULL,
    roots BIGINT NOT NULL,
    PRIMARY KEY (repository_id, shard)
);

UPDATE artifacts SET
    config_media_type = COALESCE(config_media_type, media_type),
    kind = CASE
        WHEN media_type IN ('application/vnd.oci.image.index.v1+json',
            'application/vnd.docker.distribution.manifest.list.v2+json')
            THEN 'IMAGE'
        WHEN COALESCE(artifact_type, config_media_type) IN
            ('application/vnd.oci.image.config.v1+json',
             'application/vnd.docker.container.image.v1+json')
            THEN 'IMAGE'
        WHEN COALESCE(artifact_type, config_media_type) =
            'application/vnd.cncf.helm.config.v1+json'
            THEN 'CHART'
        ELSE 'UNKNOWN' END;
INSERT INTO accessories (artifact_id, repository_id, subject_digest, kind, created_at)
    SELECT id, repository_id, subject_digest,
        CASE artifact_type
            WHEN 'application/vnd.dev.cosign.artifact.sig.v1+json' THEN 'signature.cosign'
            WHEN 'application/vnd.dev.sigstore.bundle.v0.3+json' THEN 'signature.cosign'
            WHEN 'application/vnd.cncf.notary.signature' THEN 'signature.notation'
            WHEN 'application/vnd.goharbor.harbor.sbom.v1' THEN 'sbom.harbor'
            ELSE 'subject.accessory' END,
        pushed_at
    FROM artifacts WHERE subject_digest IS NOT NULL ORDER BY id;
UPDATE artifacts SET is_root = FALSE
    WHERE EXISTS (SELECT 1 FROM accessories WHERE artifact_id = artifacts.id)
        OR (EXISTS (SELECT 1 FROM artifact_children WHERE child_id = artifacts.id)
            AND NOT EXISTS (SELECT 1 FROM tags WHERE artifact_id = artifacts.id));
INSERT INTO artifact_counts (repository_id, shard, roots)
    SELECT repository_id, 0, COUNT(*) FROM artifacts WHERE is_root GROUP BY repository_id;

CREATE INDEX artifacts_roots ON artifacts (repository_id, pushed_at, id) WHERE is_root;
CREATE INDEX artifacts_project_roots ON artifacts (project_id, pushed_at, id) WHERE is_root;
CREATE INDEX artifacts_icon ON artifacts (icon) WHERE icon IS NOT NULL;

CREATE TRIGGER roots_added AFTER INSERT ON artifacts WHEN NEW.is_root BEGIN
    INSERT INTO artifact_counts (repository_id, shard, roots) VALUES (NEW.repository_id, 0, 1)
        ON CONFLICT (repository_id, shard) DO UPDATE SET roots = roots + 1;
END;
CREATE TRIGGER roots_removed AFTER DELETE ON artifacts WHEN OLD.is_root BEGIN
    UPDATE artifact_counts SET roots = roots - 1 WHERE repository_id = OLD.repository_id;
END;
CREATE TRIGGER roots_changed AFTER UPDATE OF is_root ON artifacts
WHEN NEW.is_root <> OLD.is_root BEGIN
    INSERT INTO artifact_counts (repository_id, shard, roots)
        VALUES (NEW.repository_id, 0, CASE WHEN NEW.is_root THEN 1 ELSE -1 END)
        ON CONFLICT (repository_id, shard) DO UPDATE SET roots = roots + excluded.roots;
END;

-- A tag makes a part of an index a root.
CREATE TRIGGER roots_tagged AFTER INSERT ON tags BEGIN
    UPDATE artifacts SET is_root = TRUE WHERE id = NEW.artifact_id AND NOT is_root
        AND NOT EXISTS (SELECT 1 FROM accessories WHERE artifact_id = NEW.artifact_id);
END;
CREATE TRIGGER roots_untagged AFTER DELETE ON tags BEGIN
    UPDATE artifacts SET is_root = FALSE WHERE id = OLD.artifact_id AND is_root
        AND EXISTS (SELECT 1 FROM artifact_children WHERE child_id = OLD.artifact_id)
        AND NOT EXISTS (SELECT 1 FROM tags WHERE artifact_id = OLD.artifact_id);
END;
CREATE TRIGGER roots_retagged AFTER UPDATE OF artifact_id ON tags
WHEN NEW.artifact_id <> OLD.artifact_id BEGIN
    UPDATE artifacts SET is_root = TRUE WHERE id = NEW.artifact_id AND NOT is_root
        AND NOT EXISTS (SELECT 1 FROM accessories WHERE artifact_id = NEW.artifact_id);
    UPDATE artifacts SET is_root = FALSE WHERE id = OLD.artifact_id AND is_root
        AND EXISTS (SELECT 1 FROM artifact_children WHERE child_id = OLD.artifact_id)
        AND NOT EXISTS (SELECT 1 FROM tags WHERE artifact_id = OLD.artifact_id);
END;

-- An index takes its parts out of the list, and gives them back.
CREATE TRIGGER roots_listed AFTER INSERT ON artifact_children
WHEN NEW.child_id IS NOT NULL BEGIN
    UPDATE artifacts SET is_root = FALSE WHERE id = NEW.child_id AND is_root
        AND NOT EXISTS (SELECT 1 FROM tags WHERE artifact_id = NEW.child_id);
END;
CREATE TRIGGER roots_adopted AFTER UPDATE OF child_id ON artifact_children
WHEN NEW.child_id IS NOT NULL AND OLD.child_id IS NULL BEGIN
    UPDATE artifacts SET is_root = FALSE WHERE id = NEW.child_id AND is_root
        AND NOT EXISTS (SELECT 1 FROM tags WHERE artifact_id = NEW.child_id);
END;
CREATE TRIGGER roots_unlisted AFTER DELETE ON artifact_children
WHEN OLD.child_id IS NOT NULL BEGIN
    UPDATE artifacts SET is_root = TRUE WHERE id = OLD.child_id AND NOT is_root
        AND NOT EXISTS (SELECT 1 FROM artifact_children WHERE child_id = OLD.child_id)
        AND NOT EXISTS (SELECT 1 FROM accessories WHERE artifact_id = OLD.child_id);
END;

-- An accessory is shown with what it is about.
CREATE TRIGGER roots_attached AFTER INSERT ON accessories BEGIN
    UPDATE artifacts SET is_root = FALSE WHERE id = NEW.artifact_id AND is_root;
END;
CREATE TRIGGER roots_detached AFTER DELETE ON accessories BEGIN
    UPDATE artifacts SET is_root = TRUE WHERE id = OLD.artifact_id AND NOT is_root
        AND NOT EXISTS (SELECT 1 FROM accessories WHERE artifact_id = OLD.artifact_id)
        AND (EXISTS (SELECT 1 FROM tags WHERE artifact_id = OLD.artifact_id)
            OR NOT EXISTS (SELECT 1 FROM artifact_children WHERE child_id = OLD.artifact_id));
END;
