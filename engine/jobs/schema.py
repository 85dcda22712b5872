"""The tables of the queue, as steps from each version of the database to the next."""

from __future__ import annotations

_FIRST = """
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;
-- `counter` is the position of the next job at the end of the queue.
INSERT INTO meta VALUES ('closed', 0), ('paused', 0), ('counter', 1);

-- Every document once, however many jobs run it: a sweep's points share theirs.
CREATE TABLE documents (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    body BLOB NOT NULL
);

-- `n` is the order of submission. `client` is '' for nobody in particular.
CREATE TABLE jobs (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    position REAL NOT NULL,
    number REAL NOT NULL,
    client TEXT NOT NULL,
    name TEXT,
    source TEXT NOT NULL,
    sweep TEXT,
    settings TEXT NOT NULL,
    created_at REAL NOT NULL,
    started_at REAL,
    finished_at REAL,
    seconds REAL,
    attempts INTEGER NOT NULL DEFAULT 0,
    losses INTEGER NOT NULL DEFAULT 0,
    interruptions INTEGER NOT NULL DEFAULT 0,
    stopping TEXT CHECK (stopping IN ('cancel', 'delete')),
    device TEXT,
    outputs TEXT NOT NULL DEFAULT '{}',
    nodes_total INTEGER,
    nodes_cached INTEGER,
    problems TEXT NOT NULL DEFAULT '[]',
    node_states TEXT NOT NULL DEFAULT '{}',
    requested TEXT,
    previews INTEGER NOT NULL,
    workflow INTEGER NOT NULL REFERENCES documents (id),
    prompt INTEGER REFERENCES documents (id),
    extra INTEGER REFERENCES documents (id)
);
CREATE INDEX jobs_by_position ON jobs (status, position, n);
CREATE INDEX jobs_by_client ON jobs (status, client, position, n);
CREATE INDEX jobs_by_end ON jobs (status, finished_at, n);
CREATE INDEX jobs_by_workflow ON jobs (workflow);
CREATE INDEX jobs_by_prompt ON jobs (prompt) WHERE prompt IS NOT NULL;
CREATE INDEX jobs_by_extra ON jobs (extra) WHERE extra IS NOT NULL;

CREATE TABLE idempotency (
    key TEXT PRIMARY KEY,
    request BLOB NOT NULL,
    jobs TEXT NOT NULL,
    at REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    type TEXT NOT NULL,
    job TEXT,
    client TEXT,
    body BLOB NOT NULL
);
CREATE INDEX events_by_job ON events (job, seq) WHERE job IS NOT NULL;
"""

# What each node of a job shows may be any JSON; json_each raises on a text that is none, so types are looked at first.
_SHOWN_FILES = """
SELECT json_extract(file.value, '$.type'), coalesce(json_extract(file.value, '$.subfolder'), ''),
    json_extract(file.value, '$.filename'), {job}.id, node.key
FROM {source} json_each({job}.outputs) AS node,
    json_each(CASE node.type WHEN 'object' THEN node.value ELSE '{{}}' END) AS shown,
    json_each(CASE shown.type WHEN 'array' THEN shown.value ELSE '[]' END) AS file
WHERE file.type = 'object' AND json_type(file.value, '$.filename') = 'text' AND json_type(file.value, '$.type') = 'text'
"""

_MAKERS = f"""
-- Which job and node showed a file last, so that the gallery leads back to them.
CREATE TABLE made (
    type TEXT NOT NULL,
    subfolder TEXT NOT NULL,
    filename TEXT NOT NULL,
    job TEXT NOT NULL,
    node TEXT NOT NULL,
    PRIMARY KEY (type, subfolder, filename)
) WITHOUT ROWID;
CREATE INDEX made_by_job ON made (job);
INSERT OR REPLACE INTO made {_SHOWN_FILES.format(job="jobs", source="jobs,")};
CREATE TRIGGER job_made AFTER UPDATE OF outputs ON jobs WHEN NEW.outputs <> '{{}}' BEGIN
    INSERT OR REPLACE INTO made {_SHOWN_FILES.format(job="NEW", source="")};
END;
CREATE TRIGGER job_forgotten AFTER DELETE ON jobs BEGIN
    DELETE FROM made WHERE job = OLD.id;
END;
"""

_COUNTS = """
-- How many jobs there are of each status: asked for at every change, and counting ten thousand takes a millisecond.
CREATE TABLE counts (
    status TEXT PRIMARY KEY,
    jobs INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counts
    SELECT column1, (SELECT count(*) FROM jobs WHERE status = column1)
    FROM (VALUES ('queued'), ('running'), ('done'), ('failed'), ('cancelled'));
CREATE TRIGGER count_in AFTER INSERT ON jobs BEGIN
    UPDATE counts SET jobs = jobs + 1 WHERE status = new.status;
END;
CREATE TRIGGER count_out AFTER DELETE ON jobs BEGIN
    UPDATE counts SET jobs = jobs - 1 WHERE status = old.status;
END;
CREATE TRIGGER count_over AFTER UPDATE OF status ON jobs BEGIN
    UPDATE counts SET jobs = jobs - 1 WHERE status = old.status;
    UPDATE counts SET jobs = jobs + 1 WHERE status = new.status;
END;
"""

_PATIENT = """
-- Whether the job has made way for others, and so runs when nobody else does.
ALTER TABLE jobs ADD COLUMN patient INTEGER NOT NULL DEFAULT 0;
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _MAKERS, _COUNTS, _PATIENT)
"""`MIGRATIONS[n]` lifts version n to n + 1; each is one transaction. A step that was ever released is never changed."""
