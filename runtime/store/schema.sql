-- store/schema.sql: version 1 of linli.db. Later versions are migrations in
-- store/migrate.c; application_id and user_version are set there.

CREATE TABLE meta(
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL          -- 'commit': the last number in the file
) STRICT, WITHOUT ROWID;

CREATE TABLE space(               -- a plugin in a community; "~": Linli's
  id INTEGER PRIMARY KEY,
  community TEXT NOT NULL,
  plugin TEXT NOT NULL,
  rows INTEGER NOT NULL DEFAULT 0, -- of the plugin's documents
  bytes INTEGER NOT NULL DEFAULT 0,
  UNIQUE(community, plugin)
) STRICT;

CREATE TABLE collection(
  id INTEGER PRIMARY KEY,
  space INTEGER NOT NULL,
  name TEXT NOT NULL,
  UNIQUE(space, name)
) STRICT;

CREATE TABLE ix(                  -- an index; 1 to 15 are Linli's own
  id INTEGER PRIMARY KEY,
  collection INTEGER NOT NULL,
  name TEXT NOT NULL,
  spec TEXT NOT NULL              -- its declaration in the manifest
) STRICT;

CREATE TABLE doc(
  collection INTEGER NOT NULL,
  id TEXT NOT NULL,
  version INTEGER NOT NULL,       -- number of the commit that wrote it
  due INTEGER,                    -- ms since 1970: when it is to go
  subject TEXT,                   -- pid of whom it is about
  body BLOB NOT NULL,             -- JSON, sealed
  PRIMARY KEY(collection, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX doc_due ON doc(due) WHERE due IS NOT NULL;

CREATE TABLE entry(               -- of an index
  ix INTEGER NOT NULL,
  key BLOB NOT NULL,              -- base/tuple.h, plain
  id TEXT NOT NULL,
  PRIMARY KEY(ix, key, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE subject_key(         -- seals what is about a subject
  id INTEGER PRIMARY KEY,
  space INTEGER NOT NULL,
  subject TEXT NOT NULL,
  wrapped BLOB,                   -- under the key file; null: shredded
  UNIQUE(space, subject)
) STRICT;

CREATE TABLE event(
  seq INTEGER PRIMARY KEY,
  community TEXT NOT NULL,
  plugin TEXT NOT NULL,
  type TEXT NOT NULL,
  at INTEGER NOT NULL,
  body BLOB NOT NULL              -- JSON, sealed
) STRICT;
CREATE INDEX event_community ON event(community, seq);
CREATE INDEX event_at ON event(at);

CREATE TABLE alert(
  id INTEGER PRIMARY KEY,
  community TEXT NOT NULL,
  kind TEXT NOT NULL,
  plugin TEXT NOT NULL,
  at INTEGER NOT NULL,
  subject TEXT,
  trace_id TEXT NOT NULL,
  state TEXT NOT NULL,
  data BLOB NOT NULL              -- JSON, sealed
) STRICT;
CREATE INDEX alert_community ON alert(community, id);

CREATE TABLE usage_series(
  id INTEGER PRIMARY KEY,
  space INTEGER NOT NULL,
  meter TEXT NOT NULL,
  UNIQUE(space, meter)
) STRICT;

CREATE TABLE usage_segment(       -- the records of one commit, packed
  first INTEGER PRIMARY KEY,      -- LSNs
  last INTEGER NOT NULL,
  count INTEGER NOT NULL,
  hash BLOB NOT NULL,             -- SHA-256(hash before || content)
  content BLOB NOT NULL           -- domain/usage.h
) STRICT;

CREATE TABLE usage_bucket(
  id INTEGER PRIMARY KEY,
  series INTEGER NOT NULL,
  slot INTEGER NOT NULL,          -- ms since 1970, a quarter of an hour
  part INTEGER NOT NULL,          -- 0; more where a sum would overflow
  quantity INTEGER NOT NULL,      -- millionths
  count INTEGER NOT NULL,
  first INTEGER NOT NULL,         -- LSNs of records in it
  last INTEGER NOT NULL,
  UNIQUE(series, slot, part)
) STRICT;
