#!/usr/bin/env python3
# test-timeout-s: 300
"""tests/scenario/test_uninstall.py: spec/consent.md, section 7, live: a plugin
leaves a community, and nothing of it is left.
"""

import contextlib
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, plugin_folder, probe_manifest,  # noqa: E402
                        program, run, temporary_folder, wait_until)

ADMIN = "/v1/c/demo/admin/"
ME = "/v1/c/demo/me/"
DAY_MS = 86400000
ROUTES = [{"method": "POST", "path": "/keep", "caller": ["resident"]},
          {"method": "GET", "path": "/all", "caller": ["resident"]}]
LUA = """
local linli = require("linli")
local p = linli.plugin()
p:post("/keep", function(call)
  for i = 1, 40 do
    call.db.note:put { id = call.body.id .. "-" .. i, pid = call.resident.id,
                       text = call.body.text }
    call.db.paper:put { id = call.body.id .. "-" .. i, pid = call.resident.id }
  end
  return 200, { pid = call.resident.id }
end)
p:get("/all", function(call)
  return 200, { items = linli.array((call.db.note:list { limit = 100 })) }
end)
%s
return p
"""
HEARS = 'p:compliance("tenant.uninstall", function(call, input) end)'
FAILS = 'p:compliance("tenant.uninstall", function() error("no") end)'


def check(good, what="it does not hold"):
    """Fail unless it is so."""
    if not good:
        raise AssertionError(what)


@contextlib.contextmanager
def kept(handler=HEARS, name="probe", options=()):
    """A daemon whose plugin keeps something of two residents, and its
    neighbour the same."""
    use = {"field": "phone_relay", "purpose": "delivery", "basis": "consent",
           "required": False,
           "why": {"zh-CN": "快递员到楼下时给您打电话",
                   "en": "The courier calls you at the door"},
           "without": {"zh-CN": "包裹放在快递柜",
                       "en": "The parcel goes to a locker"}}
    more = {"compliance": ["tenant.uninstall"]} if handler else {}
    stores = {"note": {"subject": "pid", "indexes": {"by_pid": {"fields": ["pid"]}}},
              "paper": {"subject": "pid",
                        "statutory": {"law": "某法第一条", "days": 30}}}
    with temporary_folder() as parent, Daemon(options=list(options)) as d:
        folders = {}
        for plugin in (name, "other"):
            folders[plugin] = plugin_folder(
                parent, probe_manifest(plugin, routes=ROUTES, data=[use],
                                       relation="entrust", collections=stores,
                                       **more),
                main__lua=LUA % handler)
            d.enable(folders[plugin])
            for resident in ("r-lin", "r-wang"):
                keep(d, plugin, resident)
        yield d, folders[name]


def keep(d, plugin="probe", resident="r-lin"):
    """Something is kept of them."""
    answer = d.call(plugin, "/keep", {"id": resident, "text": "它的字 text"},
                    key="k" + resident, as_="resident:" + resident)
    tap.equal(answer.status, 200, answer)
    return answer.json["pid"]


def notes(d, plugin="probe"):
    """What it lists."""
    answer = d.call(plugin, "/all", None, "GET", as_="resident:r-lin")
    return answer.status if answer.status != 200 else len(answer.json["items"])


def agree(d, plugin="probe"):
    """r-lin agrees; the grant's id."""
    version = d.http("GET", ME + "asks?plugin=" + plugin,
                     as_="resident:r-lin").json["text_version"]
    answer = d.http("POST", ME + "consents",
                    {"plugin": plugin, "field": "phone_relay",
                     "purpose": "delivery", "text_version": version},
                    as_="resident:r-lin", key="g" + plugin)
    tap.equal(answer.status, 201, answer)


def live(d):
    """Plugins to which a consent of r-lin is live."""
    items = d.http("GET", ME + "consents", as_="resident:r-lin").json["items"]
    return sorted(i["plugin"] for i in items if i["state"] == "live")


def leave(d, plugin="probe", key="u1"):
    """Asks; the Answer."""
    return d.http("POST", ADMIN + "plugins/%s/uninstall" % plugin,
                  {"reason": "the contract ended"}, as_="operator:o1", key=key)


def state(d, uninstall):
    """An uninstall as it is."""
    return d.http("GET", ADMIN + "uninstalls/" + uninstall,
                  as_="operator:o1").json


def done(d, uninstall, seconds=20):
    """Waits for its end; its certificate."""
    check(wait_until(lambda: state(d, uninstall)["state"] == "done" and
                     state(d, uninstall)["leaf"] is not None, seconds),
          state(d, uninstall))
    return state(d, uninstall)


def replayed(d):
    """The log holds together."""
    with temporary_folder() as folder:
        file = os.path.join(folder, "log")
        d.linli_ok("audit", "export", file)
        ran = run([program("linli"), "audit", "replay", file])
        tap.equal(ran.code, 0, ran)


def test_it_goes_and_begins_with_nothing():
    with kept() as (d, folder):
        agree(d)
        agree(d, "other")
        tap.equal(live(d), ["other", "probe"])
        answer = leave(d)
        tap.equal(answer.status, 202, answer)
        uninstall = answer.json["id"]
        end = done(d, uninstall)
        tap.equal(end["told"], "done")
        tap.equal(end["gone"]["grants"], 1)
        tap.equal(end["gone"]["kept"], 80)
        check(end["gone"]["documents"] >= 160 + 2, end)
        tap.equal(end["gone"]["keys"], 2)
        tap.equal(notes(d), 404)
        tap.equal(notes(d, "other"), 80)
        tap.equal(live(d), ["other"])
        tap.equal([p["id"] for p in d.http(
            "GET", ADMIN + "plugins", as_="operator:o1").json["items"]],
                  ["other"])
        # The same key, the same answer; another: there is none.
        tap.equal(leave(d).json["id"], uninstall)
        tap.equal(leave(d, key="u2").status, 404)
        tap.equal(leave(d, "nobody").status, 404)
        d.stop()
        d.restart()
        tap.equal(notes(d), 404)
        tap.equal(notes(d, "other"), 80)
        d.enable(folder)
        tap.equal(notes(d), 0)
        tap.equal(live(d), ["other"])
        replayed(d)
        keep(d)
        tap.equal(notes(d), 40)
        tap.equal([i["id"] for i in d.http(
            "GET", ADMIN + "uninstalls", as_="operator:o1").json["items"]],
                  [uninstall])
        tap.equal(d.http("GET", ADMIN + "uninstalls/" + uninstall,
                         as_="staff:s1").status, 403)


def test_a_missed_deadline_is_a_duty():
    with kept(FAILS, options=["--clock=virtual"]) as (d, folder):
        uninstall = leave(d).json["id"]
        check(wait_until(lambda: state(d, uninstall)["state"] == "calling", 5))
        tap.equal(notes(d), 423)
        tap.equal(d.http("POST", ADMIN + "plugins", {"path": folder},
                         as_="operator:o1").status, 423)
        tap.equal(leave(d, key="u2").status, 423)
        d.linli_ok("clock", "advance", "4d")
        end = done(d, uninstall)
        tap.equal(end["told"], "missed")
        duties = d.http("GET", ADMIN + "duties", as_="operator:o1").json
        tap.equal([(i["kind"], i["why"], i["plugin"])
                   for i in duties["items"]], [("DELETE", "uninstall", "probe")])
        alerts = d.http("GET", ADMIN + "alerts", as_="operator:o1").json
        check("linli.uninstall_missed" in
              [a["kind"] for a in alerts["items"]], alerts)


def test_who_declares_nothing_is_told_nothing():
    with kept("") as (d, _):
        tap.equal(done(d, leave(d).json["id"])["told"], "undeclared")


def test_a_kill_loses_nothing():
    with kept() as (d, folder):
        agree(d)
        uninstall = leave(d).json["id"]
        for round_ in range(6):
            time.sleep(0.02 * round_)
            d.kill()
            d.restart()
        done(d, uninstall)
        tap.equal(notes(d), 404)
        tap.equal(notes(d, "other"), 80)
        tap.equal(live(d), [])
        d.enable(folder)
        tap.equal(notes(d), 0)


def test_the_command_line():
    with kept() as (d, _):
        said = d.linli_ok("plugin", "uninstall", "probe", "--community", "demo",
                          "--reason", "it is not used")
        check("probe" in said.out, said)
        check(wait_until(lambda: notes(d) == 404, 20))


if __name__ == "__main__":
    tap.main()
