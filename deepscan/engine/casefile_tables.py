"""The tables of a case file, and what is asked of them."""

from __future__ import annotations

APPLICATION_ID = 0x44534346
"""``DSCF`` in the file's header: https://www.sqlite.org/pragma.html#pragma_application_id ."""

CASE_VERSION = 2
"""The layout of the tables below (``user_version``)."""

MAGIC = b"SQLite format 3\0"
"""The first bytes of every case file that is not empty."""

BEGUN, ANSWERING, FINISHED = 0, 1, 2
"""States of a run. One that has only begun has no entries: those there are belong to the run before it."""

TABLES = {
    "runs": (
        "CREATE TABLE runs (id INTEGER PRIMARY KEY, info TEXT NOT NULL, schema TEXT NOT NULL, state INTEGER NOT NULL)"
    ),
    # Names and roots are escaped as in reports, because SQLite's text is UTF-8 and file names need not be.
    "answers": (
        "CREATE TABLE answers (id INTEGER PRIMARY KEY, root TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, "
        "modified INTEGER, fingerprint TEXT NOT NULL, keys TEXT NOT NULL, report TEXT NOT NULL, "
        "UNIQUE (sha256, name, root, fingerprint))"
    ),
    "answers_by_name": "CREATE INDEX answers_by_name ON answers (name, root)",
    "entries": (
        "CREATE TABLE entries (position INTEGER PRIMARY KEY, answer INTEGER REFERENCES answers (id), skipped TEXT, "
        "CHECK ((answer IS NULL) <> (skipped IS NULL)))"
    ),
}
"""Every table and index by its name, as SQLite keeps its definition."""

# Answers about the same bytes are many where there are many copies; a few of them have it all.
SAME_BYTES = (
    "SELECT id, root, name, fingerprint, keys, report FROM answers WHERE sha256 = ? "
    "ORDER BY name = ? DESC, root = ? DESC, id DESC LIMIT 16"
)
SAME_PLACE = "SELECT report FROM answers WHERE name = ? AND root = ? AND modified = ? ORDER BY id DESC LIMIT 1"
STORE = (
    "INSERT INTO answers (root, name, sha256, fingerprint, modified, keys, report) VALUES (?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (sha256, name, root, fingerprint) DO UPDATE SET modified = excluded.modified, keys = excluded.keys, "
    "report = excluded.report"
)
FIND = "SELECT id FROM answers WHERE root = ? AND name = ? AND sha256 = ? AND fingerprint = ?"
WHOLE = "SELECT id, modified, keys, report FROM answers WHERE root = ? AND name = ? AND sha256 = ? AND fingerprint = ?"
TOUCH = "UPDATE answers SET modified = ? WHERE id = ?"
REPEAT = (
    "INSERT INTO entries SELECT ?1, ?2, NULL WHERE NOT EXISTS "
    "(SELECT 1 FROM entries WHERE position = ?1 AND answer = ?2)"
)
ENTER = "INSERT INTO entries VALUES (?, ?, ?)"
REPORTED = "SELECT id, info, schema, state FROM runs ORDER BY state > 0 DESC, id DESC LIMIT 1"
