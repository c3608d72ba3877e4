#!/usr/bin/env python3
# test-timeout-s: 600
"""tests/scenario/test_replay.py: spec/replay.md, live.

Calls are recorded by a linlid and run again by `linli replay`, with the
plugin as it was and with one that was changed by a line.
"""

import base64
import concurrent.futures
import contextlib
import glob
import hashlib
import json
import os
import random
import shutil
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, failing_start, plugin_folder,  # noqa: E402
                        probe_manifest, program, run, temporary_folder)

MANIFEST = dict(
    collections={"note": {"indexes": {"by_n": {"fields": ["n"]}}}},
    timers=["ring"], jobs=["write"],
    events={"publishes": ["probe.done"], "handles": ["probe.done"]},
    alerts=["probe.odd"],
    meters={"probe.used": {"kind": "count", "unit": "use"}},
    problems={"probe/no": {"status": 409,
                           "title": {"zh-CN": "不行", "en": "No"}}},
    limits={"wall_ms": 2000},
    routes=[{"method": "POST", "path": "/run", "caller": ["resident"]},
            {"method": "GET", "path": "/look/:what", "caller": ["resident"]}])
MAIN = """
local linli = require "linli"
local p = linli.plugin()
local does = {}
function does.random()
  return { math.random(), math.random(1, 1000000), math.random(0) }
end
function does.time(call)
  return { linli.time.format(call.now, "community"), linli.time.day(call.now),
           linli.config.greeting }
end
function does.pages(call)
  local seen, after = linli.array(), nil
  repeat
    local notes
    notes, after = call.db.note:list { index = "by_n", limit = 3,
                                       cursor = after }
    for _, note in ipairs(notes) do seen[#seen + 1] = note.n end
  until not after
  return seen
end
function does.write(call)
  for n = 1, 7 do call.db.note:put { id = "n" .. n, n = n, f = n / 3 } end
  call:timer { at = call.now + 1000, run = "ring", with = { n = 1 } }
  call:job { run = "write", with = { id = "by-job" } }
  call:event("probe.done", { n = 2, text = "两个" })
  call:meter("probe.used", 1)
  call:alert("probe.odd", { n = 3 })
  return { call.db.note:count { index = "by_n" } }
end
function does.try(call) return { call:try_code("door", "1", "2") } end
function does.fail(call)
  call.db.note:put { id = "gone", n = 99 }
  call:fail("probe/no", "as it was told")
end
function does.error() error("as it was told") end
function does.insert(call)
  local made = call.db.note:insert { n = 50 }
  local again, why = call.db.note:insert { id = made.id, n = 51 }
  return { made.id, again == nil, why }
end
function does.log(call)
  for k, v in pairs { b = 1, a = 2, [3] = 4, c = {} } do
    linli.log.info(tostring(k) .. "=" .. tostring(v))
  end
  print("two\\nlines", "\\27[31mred")
  return {}
end
function does.refused(call)
  local ok, why = pcall(call.db.note.list, call.db.note, { index = "none" })
  return { ok, why }
end
function does.bytes(call)
  return { call.host.probe_echo("\\255\\0x") == "\\255\\0x",
           call.host.probe_echo(0.1) }
end
function does.conflict(call)
  local note = call.db.note:get("shared") or { id = "shared", n = 0 }
  call.host.probe_wait(300)
  note.n = note.n + 1
  return call.db.note:put(note)
end
function does.spin() while true do end end
function does.gsub() return { ("a"):rep(40):find(("a?"):rep(40) .. "b") } end
function does.hang(call)
  call.host.probe_echo(1)
  call.host.probe_wait(10000)
end
function does.big(call)
  local n = 0
  for i = 1, 7 do n = n + #call.host.probe_echo(("x"):rep(900000)) end
  return { n }
end
p:post("/run", function(call)
  return 200, does[call.body["do"]](call), { etag = "e1" }
end)
p:get("/look/:what", function(call)
  return 200, { call.params.what, call.query, call.if_match, call.locale,
                call.resident.id, does[call.params.what](call) }
end)
p:timer("ring", function(call, with)
  call.db.note:put { id = "rung", n = 60, due = call.due, with = with }
end)
p:job("write", function(call, with)
  call.db.note:put { id = with.id, n = 61 }
end)
p:event("probe.done", function(call, event)
  call.db.note:put { id = "heard", n = 62, data = event.data }
end)
return p
"""
NOW = 1893456000000  # 2030-01-01T00:00:00Z


def true(value, what):
    """The case fails unless it is."""
    tap.equal(bool(value), True, what)


class Recorded:
    """A daemon that records, with the probe in it."""

    def __init__(self, daemon, folder, package):
        self.d, self.folder, self.package = daemon, folder, package
        self.keys = 0

    def ask(self, what, status=200, **more):
        """One call."""
        self.keys += 1
        answer = self.d.call("probe", "/run", {"do": what},
                             key="key-%d" % self.keys, **more)
        tap.equal(answer.status, status, answer)
        return answer

    def trace(self, what, status=200):
        """The trace of one call."""
        answer = self.ask(what, status)
        path, = glob.glob(os.path.join(
            self.folder, "*-%s.jsonl" % answer.headers["traceparent"][3:35]))
        return path

    def traces(self):
        """The names of the traces, in order."""
        return sorted(glob.glob(os.path.join(self.folder, "*.jsonl")))



@contextlib.contextmanager
def recorded(*options, main=MAIN, **config):
    """A Recorded in a `with`; the plugin's folder outlives the daemon."""
    with temporary_folder() as parent:
        folder = os.path.join(parent, "traces")
        package = plugin_folder(
            parent, probe_manifest(**MANIFEST,
                                   config_schema={"type": "object"}),
            main__lua=main)
        config.setdefault("worker", {"drafts": True})
        with Daemon(options=["--record=" + folder, *options],
                    config=config) as d:
            d.enable(package, config={"greeting": "你好"})
            yield Recorded(d, folder, package)


def replay(*words, code=0):
    """`linli replay --json WORDS`: its Run, whose exit status is judged."""
    done = run([program("linli"), "replay", "--json", *words])
    tap.equal(done.code, code, done)
    return done


def items(*words, code=0):
    """What it says of each trace."""
    return replay(*words, code=code).json["items"]


def refused(code, *words):
    """A replay that cannot be run: its error."""
    done = replay(*words, code=2)
    error = json.loads(done.err)["error"]
    tap.equal(error["code"], code, done)
    true(error["fix"] and error["fix_zh"], "a fix in both languages")
    return error


def changed(parent, package, old, new):
    """A copy of the package in which `old` is `new`."""
    copy = os.path.join(parent, "changed")
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(package, copy)
    path = os.path.join(copy, "main.lua")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    tap.equal(text.count(old), 1, old)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new))
    return copy


def lines(path):
    """The objects of a trace."""
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def rewrite(path, objects):
    """A trace of these objects, with a checksum that is right."""
    text = "".join(json.dumps(o, ensure_ascii=False) + "\n" for o in objects)
    digest = hashlib.sha256(text.encode()).hexdigest()
    with open(path, "w", encoding="utf-8") as f:
        f.write(text + json.dumps({"sha256": digest}) + "\n")


# -- the same bytes -----------------------------------------------------------

def test_calls_of_every_kind():
    with recorded("--clock=virtual") as r:
        r.d.linli_ok("clock", "set", str(NOW))
        for what in ("random", "time", "write", "pages", "try", "insert",
                     "log", "refused", "bytes"):
            r.ask(what)
        r.ask("fail", 409)
        r.ask("error", 500)
        r.d.call("probe", "/look/time?a=%20b&c", method="GET",
                 headers={"If-Match": '"7"', "Accept-Language": "zh-CN"})
        r.d.linli_ok("clock", "advance", "5s")
        kinds = [lines(t)[1]["call"]["kind"] for t in r.traces()]
        tap.equal(sorted(set(kinds)), [0, 1, 2, 3],
                  "requests, a timer, an event, a job")
        tap.equal(len(kinds), 15, "one trace a call")
        said = items(r.folder)
        tap.equal([i["same"] for i in said], [True] * 15, said)
        tap.equal([i["exact"] for i in said], [True] * 15)
        tap.equal([i["trace"] for i in said], r.traces(), "in order")
        by_end = [i["end"] for i in said]
        tap.equal(by_end.count("failed"), 2)
        tap.equal(sum(i["log_lines"] for i in said), 5)
        true(sum(i["host_calls"] for i in said) > 20, "host calls")
        # The same with linlid gone, and in words.
        r.d.stop()
        done = run([program("linli"), "replay", *r.traces()[:2]])
        tap.equal((done.code, done.err), (0, ""))
        tap.equal(done.out.count("same "), 2, done)


def test_what_a_trace_says():
    with recorded() as r:
        answer = r.ask("write")
        path, = glob.glob(os.path.join(
            r.folder, "*-%s.jsonl" % answer.headers["traceparent"][3:35]))
        tap.equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        tap.equal(stat.S_IMODE(os.stat(r.folder).st_mode), 0o700)
        trace_id = answer.headers["traceparent"][3:35]
        head, call, *frames, end, sum_ = lines(path)
        tap.equal(head["trace"], 1)
        tap.equal(head["plugin"]["id"], "probe")
        tap.equal(head["plugin"]["dir"], r.package)
        tap.equal(head["plugin"]["runtime"], "lua")
        tap.equal(head["worker"]["zone"], "Asia/Shanghai")
        tap.equal(json.loads(head["worker"]["config"]), {"greeting": "你好"})
        tap.equal(call["call"]["body"], {"do": "write"})
        tap.equal(call["call"]["trace_id"], trace_id)
        tap.equal((call["run"], call["conflicts"]), (1, 0))
        put = frames[0]
        tap.equal((put["n"], put["hostcall"]), (1, "db_put"))
        tap.equal(put["args"], ["note", {"f": 1 / 3, "id": "n1", "n": 1}])
        tap.equal(frames[1]["answer"], "ok")
        tap.equal(frames[-1]["reply"],
                  {"status": 200, "body": [7], "etag": "e1"})
        tap.equal((end["end"], end["status"], end["truncated"]),
                  ("reply", 200, False))
        tap.equal(str(end["commit"]), answer.headers["linli-commit"])
        with open(path, "rb") as f:
            text = f.read()
        last = text.rindex(b"\n", 0, -1) + 1
        tap.equal(sum_["sha256"], hashlib.sha256(text[:last]).hexdigest())
        # What the host answers itself has no trace.
        tap.equal(r.d.call("probe", "/none", method="GET").status, 404)
        tap.equal(r.d.call("probe", "/run", {"do": "write"},
                           key="key-1").headers["idempotency-replayed"],
                  "true")
        events = [t for t in r.traces()
                  if lines(t)[1]["call"]["kind"] == 0]
        tap.equal(events, [path])


def test_the_run_that_counted():
    with recorded() as r:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(
                lambda n: r.d.call("probe", "/run", {"do": "conflict"},
                                   key="k%d" % n), range(4)))
        tap.equal(sorted(a.json["n"] for a in answers), [1, 2, 3, 4])
        again = [lines(t)[1]["conflicts"] for t in r.traces()]
        tap.equal(len(again), 4, "one trace a call")
        true(max(again) > 0, "none began again: %r" % again)
        for path in r.traces():
            reads = [f for f in lines(path) if f.get("hostcall") == "db_get"]
            tap.equal(len(reads), 1, "one run in %s" % path)
        tap.equal([i["same"] for i in items(r.folder)], [True] * 4)


def test_ends_without_a_word():
    with recorded(rate_limit="off") as r:
        r.ask("spin", 504)
        r.ask("gsub", 504)
        r.ask("hang", 504)
        spin, gsub, hang = items(r.folder)
        # The worker's limit or the host's, whichever was met first.
        true(spin["same"] and spin["end"] in ("failed", "burst"), spin)
        tap.equal((gsub["end"], gsub["same"], gsub["cut"]),
                  ("burst", True, False), gsub)
        tap.equal((hang["end"], hang["same"], hang["cut"]),
                  ("wall", True, True), hang)
        with temporary_folder() as parent:
            # It ends now where it was killed.
            other = changed(parent, r.package, 'find(("a?"):rep(40) .. "b")',
                            'find("b")')
            item, = items(r.traces()[1], "--plugin", other, code=1)
            tap.equal(item["differences"][0]["what"], "the end of the call")
            tap.contains(item["differences"][0]["diff"], '-  "ended": "burst"')


def test_every_call_of_other_scenarios():
    """Their cases, with all that their daemons did replayed at the end;
    requests, timers and events, jobs, answers from outside."""
    with temporary_folder() as folder:
        told = os.path.join(folder, "told")
        for script, *words in (
                ("tests/scenario/test_shop.py", "lua"),
                ("tests/scenario/test_shop.py", "stock_runs_out_c"),
                ("tests/scenario/test_parking.py",),
                ("tests/scenario/test_await.py", "second_step_answers", "job",
                 "refusal"),
                ("examples/test_orders.py", "paid_or_cancelled", "readme")):
            env = dict(os.environ, LINLI_TEST_RECORD=told, LINLI_BUILD=tap
                       .build_folder(), PYTHONPATH=Daemon.source("tests/lib"))
            done = subprocess.run(
                [sys.executable, "-B", Daemon.source(script), *words],
                env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, timeout=240, check=False)
            tap.equal(done.returncode, 0, done.stdout[-4000:])
        with open(told, encoding="utf-8") as f:
            said = [json.loads(line) for line in f]
        true(all(i["same"] for i in said), "all the same")
        for plugin, native, least in (("shop", False, 500),
                                      ("shop", True, 100),
                                      ("parking", False, 10),
                                      ("probe", False, 10),
                                      ("orders", False, 5)):
            count = sum(i["plugin"] == plugin and i["native"] == native
                        for i in said)
            true(count >= least, "%d calls of %s" % (count, plugin))


# -- what differs -------------------------------------------------------------

def test_a_changed_line():
    with recorded() as r, temporary_folder() as parent:
        write, time_, log = (r.trace(w) for w in ("write", "time", "log"))

        def differs(trace, old, new):
            other = changed(parent, r.package, old, new)
            item, = items(trace, "--plugin", other, code=1)
            tap.equal((item["same"], item["exact"]), (False, False))
            return item["differences"]
        one, = differs(write, "f = n / 3", "f = n / 4")
        tap.equal(one["what"], "host call 1, db_put")
        tap.contains(one["diff"], '-      "f": 0.3333')
        tap.contains(one["diff"], '+      "f": 0.25')
        one, = differs(write, 'call:alert("probe.odd", { n = 3 })', "")
        tap.equal(one["what"], "host call 12, alert_raise")
        tap.contains(one["diff"], '-  "hostcall": "alert_raise"')
        tap.contains(one["diff"], '+  "hostcall": "db_count"')
        one, = differs(write, "return { call.db.note:count",
                       "call:fail('probe/no') return { call.db.note:count")
        tap.equal(one["what"], "host call 13, db_count")
        tap.contains(one["diff"], '+    "code": "probe/no"')
        one, = differs(time_, "linli.config.greeting }", "call.kind }")
        tap.equal(one["what"], "the end of the call")
        tap.contains(one["diff"], '-      "你好"')
        tap.contains(one["diff"], '+      "request"')
        one, = differs(time_, "linli.config.greeting }",
                       "linli.config.greeting, call.db.note:get('x') }")
        tap.contains(one["diff"], '+  "hostcall": "db_get"')
        one, = differs(log, "b = 1, a = 2", "b = 1, a = 3")
        tap.equal(one["what"], "the log lines")
        tap.contains(one["diff"], " info: 3=4\n-info: a=2\n+info: a=3\n")
        # A change elsewhere changes nothing, and is said.
        other = changed(parent, r.package, "n = 61", "n = 161")
        done = run([program("linli"), "replay", "--plugin", other, log])
        tap.equal(done.code, 0, done)
        tap.contains(done.err, "not the recorded one")
        # For people: the diff on stdout, what it means on stderr, and no
        # control character of the plugin's.
        other = changed(parent, r.package, "\\27[31mred", "\\27[32mgreen")
        done = run([program("linli"), "replay", "--plugin", other, log])
        tap.equal(done.code, 1, done)
        tap.contains(done.out, "--- recorded: the log lines\n"
                               "+++ replayed: the log lines\n@@ -")
        true("\x1b" not in done.out, "no escape sequence")
        tap.contains(done.err, "error[replay/differs]")
        tap.contains(done.err, "--> " + log)
        # What an earlier call has left in a local is no part of a call.
        tap.equal(replay(write, time_, "--plugin", other, "--exact", code=2)
                  .json["items"][0]["error"]["code"], "replay/changed")


def test_state_between_calls_is_shown():
    main = MAIN.replace("function does.time(call)",
                        "local calls = 0\nfunction does.time(call)\n"
                        "  calls = calls + 1\n"
                        "  if calls > 1 then return { calls } end")
    with recorded(main=main) as r:
        r.ask("time")
        r.ask("time")
        first, second = items(r.folder, code=1)
        true(first["same"], "nothing was kept yet")
        tap.contains(second["differences"][0]["diff"], "-      2\n")


# -- what is no trace, no package ---------------------------------------------

def test_bad_traces():
    with recorded() as r, temporary_folder() as parent:
        path, bad = r.trace("write"), os.path.join(parent, "bad.jsonl")
        with open(path, "rb") as f:
            text = f.read()
        objects = lines(path)[:-1]

        def is_refused(content, code="replay/trace"):
            with open(bad, "wb") as f:
                f.write(content)
            return refused(code, bad)
        for size in (0, 1, 100, len(text) // 2, len(text) - 2,
                     text.rindex(b"\n", 0, -1)):
            is_refused(text[:size])
        for at in (20, len(text) // 3, len(text) // 2, len(text) - 10):
            is_refused(text[:at] + b"7" + text[at + 1:]
                       if text[at:at + 1] != b"7" else
                       text[:at] + b"8" + text[at + 1:])
        is_refused(text + b"{}\n")
        is_refused(b"{}\n")
        is_refused(b"\x7fELF\x00\x00")
        is_refused(json.dumps(MANIFEST).encode())

        def rewritten(code, change):
            copy = json.loads(json.dumps(objects))
            change(copy)
            rewrite(bad, copy)
            return refused(code, bad)
        rewrite(bad, objects)
        true(items(bad)[0]["same"], "written again it is the same")
        error = rewritten("replay/format",
                          lambda o: o[0].update(trace=2, linli="9.1"))
        tap.contains(error["detail"], "linli 9.1")
        rewritten("replay/format", lambda o: o[0].update(wire=99))
        rewritten("replay/trace", lambda o: o.pop(1))
        rewritten("replay/trace", lambda o: o.pop(2))
        rewritten("replay/trace", lambda o: o.pop(-1))
        rewritten("replay/trace", lambda o: o.pop(-2))
        rewritten("replay/trace", lambda o: o[3].update(frame="%%"))
        rewritten("replay/trace", lambda o: o[3].update(frame="AAAA"))
        rewritten("replay/trace", lambda o: o[3].update(type=255))
        rewritten("replay/trace", lambda o: o[-1].update(end="burst"))
        rewritten("replay/trace",
                  lambda o: o[0]["plugin"].update(hash="\x1b[31m"))
        rewritten("replay/trace",
                  lambda o: o[0]["worker"].update(burst_ms=10 ** 9))
        rewritten("replay/trace",
                  lambda o: o[0]["worker"].update(zone_changes=["x", 1]))
        refused("cli/file", os.path.join(parent, "none.jsonl"))
        refused("replay/trace", parent + "/")  # the bad one in it
        os.remove(bad)
        refused("replay/trace", parent)  # and none


def test_traces_made_up():
    """Whatever a trace says that is whole: an end, and no crash."""
    chance = random.Random(20)
    with recorded() as r, temporary_folder() as parent:
        texts = []
        for what in ("write", "pages", "log"):
            with open(r.trace(what), encoding="utf-8") as f:
                texts.append("".join(f.readlines()[:-1]))
        for n in range(150):
            text = list(texts[n % 3])
            for _ in range(chance.randrange(1, 4)):
                at = chance.randrange(len(text))
                if n % 2 == 0:  # a digit, a letter: mostly still JSON
                    text[at] = chance.choice("0159aZ_-")
                elif chance.random() < 0.5:
                    del text[at:at + chance.randrange(1, 200)]
                else:
                    text[at:at] = text[at - 50:at]
            text = "".join(text)
            digest = hashlib.sha256(text.encode()).hexdigest()
            with open(os.path.join(parent, "%03d.jsonl" % n), "w",
                      encoding="utf-8") as f:
                f.write(text + json.dumps({"sha256": digest}) + "\n")
        done = run([program("linli"), "replay", "--json", parent], 120)
        tap.equal(done.code, 1, done.err)
        said = done.json["items"]
        tap.equal(len(said), 150)
        refused_, differ = ([i for i in said if "error" in i],
                            [i for i in said if i.get("same") is False])
        true(refused_ and differ, "%d refused, %d differ"
             % (len(refused_), len(differ)))


def test_a_frame_of_another_shape_ends_as_a_difference():
    with recorded() as r, temporary_folder() as parent:
        objects = lines(r.trace("time"))[:-1]
        objects[1]["frame"] = base64.urlsafe_b64encode(
            b"\x06\x01\x00\x00\x00\x00").decode().rstrip("=")
        bad = os.path.join(parent, "bad.jsonl")
        rewrite(bad, objects)
        item, = items(bad, code=1)
        tap.contains(item["differences"][0]["diff"], '+  "ended": ')


def test_a_call_too_large_for_a_trace():
    with recorded() as r:
        path = r.trace("big")
        end = lines(path)[-2]
        tap.equal((end["end"], end["truncated"]), ("reply", True))
        refused("replay/truncated", path)


def test_packages():
    with recorded() as r, temporary_folder() as parent:
        path = r.trace("time")
        moved = os.path.join(parent, "moved")
        shutil.move(r.package, moved)
        error = refused("replay/package", path)
        tap.contains(error["where"], r.package)
        tap.contains(error["fix"], "--plugin")
        true(items(path, "--plugin", moved, "--exact")[0]["same"],
               "the same content elsewhere")
        other = plugin_folder(parent, probe_manifest("other"),
                              main__lua="return 1")
        refused("replay/package", path, "--plugin", other)
        other = changed(parent, moved, "does.time(call)", "does.time(call")
        error = refused("plugin/load", path, "--plugin", other)
        tap.contains(error["where"] + error["detail"], "main.lua")
        refused("replay/changed", path, "--plugin", other, "--exact")


# -- who may record, and how much ---------------------------------------------

def test_development_only():
    with temporary_folder() as folder:
        where = os.path.join(folder, "traces")
        done = failing_start(["--record=" + where], mode="production")
        tap.equal(done.code, 2, done)
        tap.contains(done.err, "error[config/development-only]")
        tap.contains(done.err, "--mode=development")
        true(not os.path.exists(where), "nothing was made")
        done = failing_start(["--record=" + os.path.join(where, "deeper")])
        tap.contains(done.err, "error[record/unusable]")
        file = os.path.join(folder, "file")
        with open(file, "w", encoding="utf-8"):
            pass
        done = failing_start(["--record=" + file])
        tap.contains(done.err, "error[record/unusable]")
        tap.contains(done.err, file)
        for words in (["replay"], ["replay", "x", "--as", "resident:r1"]):
            done = run([program("linli"), *words])
            tap.equal(done.code, 2, done)
            tap.contains(done.err, "error[usage]")


def test_the_oldest_go():
    with temporary_folder() as folder:
        where = os.path.join(folder, "traces")
        os.mkdir(where)
        for n in range(5, 10005):
            with open(os.path.join(where, "%08d-%032x.jsonl" % (n, n)), "w",
                      encoding="utf-8"):
                pass
        with open(os.path.join(where, "mine.txt"), "w", encoding="utf-8"):
            pass
        with Daemon(options=["--record=" + where]) as d:
            d.enable(d.source("examples/hello-lua"))
            for _ in range(2):
                answer = d.call("hello", "/hello", {"name": "x"})
                tap.equal(answer.status, 200)
        there = sorted(os.listdir(where))
        tap.equal(len(there), 10001)
        true("mine.txt" in there, "what is no trace stays")
        true(there[0].startswith("00000007-"), there[0])
        tap.equal([n.split("-")[0] for n in there[-3:-1]],
                  ["00010005", "00010006"])


def test_a_folder_that_goes_away():
    with recorded() as r:
        r.ask("time")
        shutil.rmtree(r.folder)
        r.ask("time")
        said = [line for line in r.d.log_lines()
                if line["code"] == "record/unusable"]
        tap.equal(len(said), 1, said)
        tap.equal(said[0]["plugin"], "probe")


if __name__ == "__main__":
    tap.main()
