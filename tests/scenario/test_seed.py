#!/usr/bin/env python3
"""tests/scenario/test_seed.py: spec/seed.md, and spec/pipeline.md 5 on what
is there again after a restart, live."""

import contextlib
import json
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        temporary_folder)

MANIFEST = dict(
    collections={"note": {}}, directory=["household"],
    data=[{"field": "plate", "purpose": "entry", "basis": "contract"}],
    config_schema={"type": "object", "additionalProperties": False,
                   "properties": {"word": {"type": "string"}}},
    routes=[{"method": "POST", "path": "/notes", "caller": ["resident"]},
            {"method": "GET", "path": "/notes", "caller": ["resident"],
             "data": [{"field": "plate", "purpose": "entry"}]}])
LUA = """
local linli = require("linli")
local p = linli.plugin()
p:post("/notes", function(call)
    return 200, call.db.note:put{id = "one", text = call.body.text}
end)
p:get("/notes", function(call)
    return 200, {note = call.db.note:get("one"), word = linli.config.word,
                 zone = call.zone, me = call.resident,
                 plates = call.fields.plate}
end)
return p
"""
GARDEN = {
    "communities": [{"id": "garden", "name": "花园", "zone": "Asia/Tokyo"}],
    "households": [{"id": "h1", "community": "garden",
                    "plates": ["京A12345", "京B6789"]}],
    "residents": [{"id": "wang", "community": "garden", "household": "h1",
                   "fields": {"phone": "13800001111"}},
                  {"id": "li", "community": "garden", "household": "h1"}]}


class Garden(Daemon):
    """A daemon whose community is the garden."""

    def __init__(self, **more):
        super().__init__(community="garden", **more)

    def seed(self, what, fails=False):
        """`linli seed`: its JSON, or its Run if it is to fail."""
        path = os.path.join(self.folder, "seed.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(what, f)
        if not fails:
            return self.linli_ok("seed", path, "--json").json
        done = self.linli("seed", path)
        tap.equal(done.code, 1, done)
        return done

    def notes(self, as_="resident:wang", plugin="probe"):
        """What the plugin says to a resident."""
        return self.call(plugin, "/notes", method="GET", as_=as_)

    def write(self, text):
        """Changes what the plugin has stored."""
        answer = self.call("probe", "/notes", {"text": text},
                           key=os.urandom(8).hex(), as_="resident:wang")
        tap.equal(answer.status, 200, answer)


@contextlib.contextmanager
def folders(*names):
    """A folder for each plugin, the same program."""
    with temporary_folder() as folder:
        yield [plugin_folder(folder, probe_manifest(n, **MANIFEST),
                             main__lua=LUA) for n in names or ("probe",)]


def plugin(path, **config):
    """One line of a seed's plugins."""
    return {"path": path, "community": "garden", "config": config}


def states(d):
    """{id: state} of the plugins."""
    listed = d.linli_ok("plugin", "list", "--community", "garden", "--json")
    return {p["id"]: p["state"] for p in listed.json["items"]}


# -- seeds -----------------------------------------------------------------

def test_residents_are_known():
    with folders() as (probe,), Garden() as d:
        seed = dict(GARDEN, plugins=[plugin(probe, word="a")])
        tap.equal(d.seed(seed), {"documents": 4, "plugins": 1})
        told = d.notes().json
        tap.equal((told["zone"], told["word"]), ("Asia/Tokyo", "a"))
        tap.equal(told["plates"], ["京A12345", "京B6789"])
        other = d.notes("resident:li").json["me"]
        tap.equal(other["household"], told["me"]["household"])
        tap.equal(other["id"] != told["me"]["id"], True)
        tap.equal(d.seed(seed), {"documents": 0, "plugins": 1})
        # One that has changed is written as a whole.
        seed["households"][0]["plates"] = ["京C1"]
        tap.equal(d.seed(seed)["documents"], 1)
        tap.equal(d.notes().json["plates"], ["京C1"])


def test_refusals():
    with folders() as (probe,), Garden() as d:
        for change, place in (
                ({"residents": [{"id": "a", "community": "garden",
                                 "household": "h9"}]},
                 "/residents/0/household"),
                ({"staff": [{"id": "a", "community": "palace"}]},
                 "/staff/0/community"),
                ({"cars": []}, "/cars"),
                ({"plugins": [dict(plugin(probe), size=1)]},
                 "/plugins/0/size")):
            done = d.seed(dict(GARDEN, **change), fails=True)
            tap.contains(done.err, "error[seed/invalid]")
            tap.contains(done.err, place)
        tap.equal(d.seed(GARDEN), {"documents": 4, "plugins": 0})
        done = d.seed({"communities": [{"id": "garden",
                                        "zone": "Asia/Shanghai"}]},
                      fails=True)
        tap.contains(done.err, "/communities/0/zone")
        # What has no plugin is not undone; it is told which.
        done = d.seed(dict(GARDEN, residents=[], plugins=[
            plugin(probe), plugin(probe, word=1)]), fails=True)
        tap.contains(done.err, "error[plugin/config]")
        tap.contains(done.err, "/plugins/1")
        tap.equal(states(d), {"probe": "enabled"})


def test_what_is_personal_is_sealed():
    with Garden() as d:
        d.seed(dict(GARDEN, devices=[{
            "id": "gate1", "community": "garden", "plugin": "probe",
            "key_hex": "deadbeef" * 8}]))
        d.stop()
        kept = b""
        for name in os.listdir(d.data):
            if name.startswith("linli.db"):
                with open(os.path.join(d.data, name), "rb") as f:
                    kept += f.read()
        tap.equal(b"garden" in kept, True)
        for secret in ("deadbeef", "13800001111", "A12345"):
            tap.equal(secret.encode() in kept, False, secret)
        d.restart()
        tap.equal(d.seed(GARDEN)["documents"], 0)


# -- what is there again ---------------------------------------------------

def test_a_plugin_is_there_again():
    with folders() as (probe,), Garden() as d:
        d.seed(dict(GARDEN, plugins=[plugin(probe, word="a")]))
        d.write("before")
        before = d.notes().json
        for end in (d.kill, d.stop):
            end()
            d.restart()
            tap.equal(d.notes().json, before)
        # Another configuration, and nothing but the answer waited for.
        d.enable(probe, config={"word": "b"})
        d.kill()
        d.restart()
        tap.equal(d.notes().json, dict(before, word="b"))
        d.linli_ok("plugin", "disable", "probe", "--community", "garden")
        time.sleep(0.2)
        d.kill()
        d.restart()
        answer = d.notes()
        tap.equal((answer.status, answer.code), (423, "plugin/disabled"))
        tap.equal(states(d), {"probe": "disabled"})
        d.enable(probe, config={"word": "c"})
        tap.equal(d.notes().json, dict(before, word="c"))
        d.stop()
        d.restart()
        tap.equal(d.notes().json["word"], "c")


def test_one_that_is_gone_does_not_stop_the_others():
    with folders("probe", "gone", "broken", "other") as made, Garden() as d:
        d.seed(dict(GARDEN, plugins=[plugin(f) for f in made]))
        d.linli_ok("plugin", "disable", "other", "--community", "garden")
        d.stop()
        shutil.rmtree(made[1])
        shutil.rmtree(made[3])
        with open(os.path.join(made[2], "main.lua"), "w",
                  encoding="utf-8") as f:
            f.write("error('no more')")
        d.restart()
        tap.equal(states(d), {"probe": "enabled", "gone": "failed",
                              "broken": "failed", "other": "disabled"})
        tap.equal(d.notes().status, 200)
        tap.equal(d.notes(plugin="gone").status, 404)
        tap.equal(d.notes(plugin="other").status, 423)
        errors = {line["plugin"]: line["code"] for line in d.log_lines()
                  if line["level"] == "error"}
        tap.equal(errors["gone"], "package/missing-file")
        tap.equal("broken" in errors, True, errors)
        # It is tried again each time, and may be enabled meanwhile.
        plugin_folder(os.path.dirname(made[1]),
                      probe_manifest("gone", **MANIFEST), main__lua=LUA)
        d.stop()
        d.restart()
        tap.equal(states(d)["gone"], "enabled")


def test_a_folder_with_another_plugin():
    with folders("probe", "other") as (probe, other), Garden() as d:
        d.seed(dict(GARDEN, plugins=[plugin(probe)]))
        d.stop()
        shutil.rmtree(probe)
        shutil.copytree(other, probe)
        d.restart()
        tap.equal(states(d), {"probe": "failed"})
        tap.equal([line["code"] for line in d.log_lines()
                   if line["level"] == "error"], ["plugin/load"])


def test_the_configuration_has_the_last_word():
    with folders() as (probe,), temporary_folder() as data:
        listed = {"plugins": [plugin(probe, word="listed")]}
        with Garden(data=data) as d:
            d.seed(dict(GARDEN, plugins=[plugin(probe, word="asked")]))
            tap.equal(d.notes().json["word"], "asked")
        with Garden(data=data, config=listed) as d:
            tap.equal(d.notes().json["word"], "listed")
            tap.equal(states(d), {"probe": "enabled"})
        # Nothing of it was written over what was asked for.
        with Garden(data=data) as d:
            tap.equal(d.notes().json["word"], "asked")
        zone = {"communities": [{"id": "garden", "zone": "Asia/Shanghai"}]}
        with Garden(data=data, config=zone) as d:
            tap.equal(d.notes().json["zone"], "Asia/Shanghai")
            tap.equal([line["community"] for line in d.log_lines()
                       if line["code"] == "config/zone"], ["garden"])


def test_what_is_listed_only_is_not_kept():
    with folders() as (probe,), temporary_folder() as data:
        listed = {"plugins": [plugin(probe)]}
        with Garden(data=data, config=listed) as d:
            tap.equal(d.notes().status, 200)
            d.linli_ok("plugin", "disable", "probe", "--community", "garden")
        with Garden(data=data, config=listed) as d:
            tap.equal(d.notes().status, 200)
        with Garden(data=data) as d:
            tap.equal(d.notes().status, 404)


def test_production_takes_none_of_it():
    with folders() as (probe,), temporary_folder() as data:
        with Garden(data=data) as d:
            d.seed(dict(GARDEN, plugins=[plugin(probe)]))
        with Garden(data=data, mode="production") as d:
            tap.equal(d.http("GET", "/readyz").status, 200)
            tap.equal(d.http("GET", "/v1/c/garden/probe/notes").status, 404)
            tap.equal([line["code"] for line in d.log_lines()
                       if line["level"] == "error"], ["package/unsigned"])


if __name__ == "__main__":
    tap.main()
