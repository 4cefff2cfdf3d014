"""The format of the journal: its tables, its version, the upgrade of older ones, and all statements that use it."""

import sqlite3
from pathlib import Path
from typing import Final

# What SQLite's module and the decoders raise where pages or values of a journal are not what they were.
DAMAGE: Final = (sqlite3.Error, ValueError, TypeError, OverflowError)

APPLICATION_ID: Final = 0x7464_636A  # the `application_id` of a journal: `tdcj`

VERSION: Final = 2  # Its `user_version`. Version 1 did not record which events a request held.

_CREATE_SENT: Final = (
    # The events of each request: zstd-compressed JSON, an array of [id, event_type, time]. One row per request, kept.
    "CREATE TABLE sent (id INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL, events BLOB NOT NULL)"
)
CREATE: Final = (
    # The keys that each request of the current run delivered: one row per request, only ever appended.
    "CREATE TABLE request (id INTEGER PRIMARY KEY, endpoint INTEGER NOT NULL, keys BLOB NOT NULL)",
    # The keys that earlier runs delivered, and how often.
    "CREATE TABLE delivered (endpoint INTEGER, key BLOB, count INTEGER, PRIMARY KEY (endpoint, key)) WITHOUT ROWID",
    # `url` and `credential` are digests, `shown` is the redacted URL; `older`: version 1 has delivered to it.
    (
        "CREATE TABLE endpoint (id INTEGER PRIMARY KEY, url BLOB, credential BLOB, shown TEXT,"
        " older INTEGER NOT NULL DEFAULT 0, UNIQUE (url, credential))"
    ),
    _CREATE_SENT,
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)
UPGRADE_FROM_1: Final = (
    _CREATE_SENT,
    "ALTER TABLE endpoint ADD COLUMN older INTEGER NOT NULL DEFAULT 0",
    "UPDATE endpoint SET older = 1 WHERE id IN (SELECT endpoint FROM request UNION SELECT endpoint FROM delivered)",
    f"PRAGMA user_version = {VERSION}",
)

# How often each key has been met in the current run; removed with the run, so that it need not be safe on disk.
CREATE_MET: Final = (
    "PRAGMA temp.journal_mode = OFF",
    "CREATE TEMP TABLE met (key BLOB PRIMARY KEY, count INTEGER) WITHOUT ROWID",
)
INSERT_MET: Final = "INSERT OR REPLACE INTO temp.met VALUES (?, ?)"

INSERT_ENDPOINT: Final = "INSERT OR IGNORE INTO endpoint (url, credential, shown) VALUES (?, ?, ?)"
SELECT_ENDPOINT: Final = "SELECT max(id) FROM endpoint WHERE url = ? AND credential = coalesce(?, credential)"
HAS_OTHER_ENDPOINTS: Final = (
    "SELECT EXISTS (SELECT 1 FROM endpoint CROSS JOIN delivered ON delivered.endpoint = endpoint.id"
    " WHERE endpoint.url = ? AND endpoint.id <> ?)"
)
SELECT_ENDPOINTS: Final = (
    "SELECT id, shown, older FROM endpoint WHERE older OR id IN (SELECT endpoint FROM sent) ORDER BY id"
)
COUNT_REQUESTS: Final = (
    "SELECT shown, max(older), sum((SELECT count(*) FROM sent WHERE sent.endpoint = endpoint.id)) AS requests"
    " FROM endpoint GROUP BY shown HAVING requests OR max(older) ORDER BY min(id)"
)

INSERT_REQUEST: Final = "INSERT INTO request (endpoint, keys)"
INSERT_SENT: Final = "INSERT INTO sent (endpoint, events)"
SELECT_SENT: Final = "SELECT endpoint, events FROM sent ORDER BY id"

HAS_REQUESTS: Final = "SELECT EXISTS (SELECT 1 FROM request)"
SELECT_REQUESTS: Final = "SELECT endpoint, keys FROM request"
DELETE_REQUESTS: Final = "DELETE FROM request"
ADD_DELIVERED: Final = (
    "INSERT INTO delivered (endpoint, key, count) VALUES (?, ?, ?)"
    " ON CONFLICT (endpoint, key) DO UPDATE SET count = count + excluded.count"
)
HAS_DELIVERED: Final = "SELECT EXISTS (SELECT 1 FROM delivered WHERE endpoint = ? AND key >= ? AND key < ?)"
FIND_DELIVERED: Final = """
WITH RECURSIVE place (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM place WHERE (i + 1) * :size < length(:keys))
SELECT i, delivered.key, delivered.count, coalesce(met.count, 0)
FROM place CROSS JOIN delivered LEFT JOIN temp.met ON met.key = delivered.key
WHERE endpoint = :endpoint AND delivered.key = substr(:keys, 1 + :size * i, :size)
ORDER BY i
"""


def format_of(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return the `application_id` and `user_version` of a database, to be compared with those above."""
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return application, version


def unsupported(path: Path, version: int) -> str:
    return f"the journal {path} has format version {version}; this tdcur supports version {VERSION}"


def error_code(error: BaseException) -> int:
    """Return the primary result code of SQLite; an error that is not its own is damage."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return code & 0xFF
