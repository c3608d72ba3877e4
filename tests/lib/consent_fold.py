"""tests/lib/consent_fold.py: what the log says residents have said.

A fold of log_leaf alone, written after spec/consent.md and not after the
runtime: what it finds is compared with what the API lists.
"""

import contextlib
import json
import os
import sqlite3


class Grant:
    """One act of giving, and what became of it."""

    def __init__(self, leaf, seq):
        self.id, self.seq = leaf["grant"], seq
        self.subject, self.plugin = leaf["subject"], leaf["plugin"]
        self.purpose, self.fields = leaf["purpose"], set(leaf["fields"])
        self.until, self.uses = leaf["until"], leaf.get("uses")
        self.by = "self" if leaf["actor"] == leaf["subject"] else "guardian"
        if ":" in leaf["actor"]:
            self.by = "staff"
        self.end, self.end_seq = None, None
        self.reads = 0

    def state(self, now_ms):
        """As people are told it."""
        if self.end:
            return self.end
        over = self.until <= now_ms or (self.uses and self.reads >= self.uses)
        return "expired" if over else "live"


class Fold:
    """The whole log, leaf by leaf."""

    def __init__(self):
        self.grants, self.objections, self.refusals = {}, {}, {}
        self.guardians, self.terms, self.people = {}, {}, {}
        self.count = 0

    def take(self, seq, leaf):
        """The next leaf."""
        assert seq == self.count, (seq, self.count)
        self.count += 1
        action = getattr(self, "on_" + leaf["type"], None)
        if action is not None:
            action(seq, leaf)

    def on_give(self, seq, leaf):
        """A later act takes the place of those it covers."""
        new = Grant(leaf, seq)
        assert new.id not in self.grants, "given twice: " + new.id
        for old in self.grants.values():
            if (old.end is None and old.subject == new.subject
                    and old.plugin == new.plugin
                    and old.purpose == new.purpose
                    and old.fields <= new.fields
                    and old.state(leaf["at"]) == "live"):
                old.end = "replaced"
        self.grants[new.id] = new
        for field in new.fields:
            self.refusals.pop((new.subject, new.plugin, new.purpose, field),
                              None)

    def on_withdraw(self, seq, leaf):
        """It ends once."""
        grant = self.grants[leaf["grant"]]
        assert grant.end is None, "ended twice: " + grant.id
        grant.end, grant.end_seq = "withdrawn", seq

    def on_refuse(self, _, leaf):
        """Field by field."""
        for field in leaf["fields"]:
            self.refusals[leaf["subject"], leaf["plugin"], leaf["purpose"],
                          field] = leaf["at"]

    def on_object(self, _, leaf):
        """On, or taken back."""
        key = (leaf.get("plugin"), leaf["data"]["objection"])
        mine = self.objections.setdefault(leaf["subject"], set())
        (mine.add if leaf["result"] == "on" else mine.discard)(key)

    def on_access(self, _, leaf):
        """A use of a grant."""
        if "grant" in leaf:
            grant = self.grants[leaf["grant"]]
            assert grant.end is None, "read after its end: " + grant.id
            assert leaf["at"] < grant.until, "read too late: " + grant.id
            grant.reads += 1

    def on_terms(self, _, leaf):
        """The version in which a plugin asks."""
        self.terms[leaf["plugin"]] = leaf["version"]

    def on_guardian(self, _, leaf):
        """Who may speak for whom."""
        self.guardians[leaf["subject"], leaf["data"]["guardian"],
                       leaf["data"]["kind"]] = leaf["result"]

    def on_person(self, _, leaf):
        """Their state."""
        self.people[leaf["subject"]] = leaf["result"]

    def of(self, subject):
        """The grants of a subject."""
        return [g for g in self.grants.values() if g.subject == subject]


def fold(data):
    """That of a data directory, which may be in use."""
    result = Fold()
    path = "file:%s?mode=ro" % os.path.join(data, "linli.db")
    with contextlib.closing(sqlite3.connect(path, uri=True)) as db:
        for seq, leaf in db.execute(
                "SELECT idx, leaf FROM log_leaf ORDER BY idx"):
            result.take(seq, json.loads(leaf))
    return result

