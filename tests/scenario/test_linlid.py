#!/usr/bin/env python3
"""tests/scenario/test_linlid.py: the daemon: how it starts, refuses to start,
runs and ends; and `linli` against it, from end to end.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import (Daemon, descendants, plugin_folder,  # noqa: E402
                        probe_manifest, processes, program, run,
                        temporary_folder, wait_until)

NOBODY = 65534
HELLO = "examples/hello-lua"
LUA = """
local p = require("linli").plugin()
p:post("/run", function(call)
    if call.body then call.host.probe_wait(call.body.ms) end
    return 200, {ok = true}
end)
return p
"""
STATE_FILES = ("linlid.pid", "linlid.json")


def start(*options, data, mode="development", listen="127.0.0.1:0", user=None,
          linlid=None):
    """Run linlid to its end; a start that is not refused fails the case."""
    words = [linlid or program("linlid"), "--data=" + data,
             "--listen=" + listen]
    words += ["--mode=" + mode] if mode else []
    process = subprocess.Popen(words + list(options), text=True,
                               stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, user=user)
    try:
        out, err = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise AssertionError("not refused: %r" % (options,))
    return process.returncode, out, err


def refused(done, code, *parts):
    """One message with that code, in both languages, with a place (where
    there is one) and a fix; and nothing on stdout."""
    status, out, err = done
    tap.equal(status > 0, True, done)
    tap.equal(out, "")
    said = err[err.index("error["):] if "error[" in err else err
    tap.equal(said.count("error["), 1, err)
    tap.contains(said, "error[%s]: " % code)
    tap.equal(re.search("[\u4e00-\u9fff]", said) is not None, True, err)
    tap.equal(re.search(r"^ +=? ?= fix: |^ *= fix: ", said, re.M) is not None,
              True, err)
    for part in parts:
        tap.contains(said, part)
    return said


def nothing_left(data):
    """No file says that a daemon runs, and none is half-written."""
    if not os.path.isdir(data):
        return
    for name in os.listdir(data):
        tap.equal(name in STATE_FILES or name.endswith(".new"), False, name)


@contextlib.contextmanager
def configured(text):
    """(data directory, --config word) for a configuration's text or dict."""
    with temporary_folder() as folder:
        path = os.path.join(folder, "linli.conf.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text if isinstance(text, str) else json.dumps(text))
        yield os.path.join(folder, "data"), "--config=" + path


def test_configurations_that_are_refused():
    for text, where, part in (
            ("{", "linli.conf.json", ""),
            ("[]", "linli.conf.json: /", "object"),
            ('{"wroker":{}}', "linli.conf.json: /wroker", "worker"),
            ('{"worker":{},"worker":{}}', "linli.conf.json", "worker"),
            ('{"worker":{"count_lua":"2"}}',
             "linli.conf.json: /worker/count_lua", "integer"),
            ('{"worker":{"count_lua":2},"worker.count_lua":3}',
             "linli.conf.json: /worker.count_lua", "two ways"),
            ('{"communities":[{"id":"a","zone":"Asia/Nowhere"}]}',
             "", "Asia/Nowhere"),
            ('{"communities":[{"id":"a"},{"id":"a"}]}', "", "a"),
            ('{"rate_limit":{"per_s":0,"burst":1}}',
             "linli.conf.json: /rate_limit", "")):
        with configured(text) as (data, word):
            done = start(word, data=data)
            refused(done, "config/invalid", where, part)
            nothing_left(data)
    with configured({"auth": {"jwks": [{
            "file": "keys.json", "issuer": "https://a",
            "kinds": ["resident"]}]}}) as (data, word):
        done = start(word, data=data, mode="production")
        tap.equal(done[0] > 0, True, done)
        tap.contains(done[2], "keys.json")
        nothing_left(data)


def test_configuration_files_that_cannot_be_read():
    with temporary_folder() as folder:
        data = os.path.join(folder, "data")
        for path in ("nothing.json", "."):
            path = os.path.join(folder, path)
            done = start("--config=" + path, data=data)
            refused(done, "cli/file", path)
            tap.equal(os.path.exists(data), False)
        big = os.path.join(folder, "big.json")
        with open(big, "w", encoding="ascii") as f:
            f.write("{" + " " * (4 << 20) + "}")
        refused(start("--config=" + big, data=data), "cli/file", big)


def test_plugins_that_are_refused():
    with temporary_folder() as folder:
        good = probe_manifest()
        cases = (
            ("broken", "{", {}, "manifest/invalid", "plugin.json"),
            ("unknown", dict(good, colour=1), {}, "manifest/invalid",
             "colour"),
            ("abi", dict(good, abi=2), {}, "manifest/abi", "abi"),
            ("missing", dict(good, main="other.lua"), {},
             "package/missing-file", "other.lua"),
            ("data", dict(good, data=[{"field": "phon", "purpose": "delivery",
                                       "basis": "contract"}]), {},
             "manifest/invalid", '"phon"'),
            ("lua", good, {"main.lua": "return 5"}, "plugin/load",
             "main file"),
            ("syntax", good, {"main.lua": "\n\nlocal local\n"},
             "plugin/load", "main.lua:3"))
        for name, manifest, files, code, part in cases:
            path = os.path.join(folder, name)
            os.mkdir(path)
            files = dict({"main.lua": LUA}, **files)
            files["plugin.json"] = manifest if isinstance(manifest, str) \
                else json.dumps(manifest)
            for file_name, text in files.items():
                with open(os.path.join(path, file_name), "w",
                          encoding="utf-8") as f:
                    f.write(text)
            config = {"plugins": [{"path": path, "community": "garden"}]}
            with configured(config) as (data, word):
                refused(start(word, data=data), code, part)
                nothing_left(data)
        config = {"plugins": [{"path": os.path.join(folder, "nowhere"),
                               "community": "garden"}]}
        with configured(config) as (data, word):
            refused(start(word, data=data), "package/missing-file",
                    "nowhere")


def test_addresses_that_are_refused():
    with temporary_folder() as folder, socket.socket() as taken:
        data = os.path.join(folder, "data")
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        refused(start(data=data, listen=address), "listen/failed", address)
        nothing_left(data)
        for address in ("127.0.0.1", "127.0.0.1:", "127.0.0.1:99999",
                        "127.0.0.1:http", "127.x:0", "127.0.0.1:-1", ""):
            done = start(data=data, listen=address)
            tap.equal(done[0] > 0, True, (address, done))
            tap.equal(done[2].count("error["), 1, done)
            nothing_left(data)
        # In use by another: its file says who is there; ours is not made.
        with Daemon() as d:
            address = "127.0.0.1:%d" % d.port
            refused(start(data=data, listen=address), "listen/failed",
                    address)


def test_data_directories_that_are_refused():
    with temporary_folder() as folder:
        a_file = os.path.join(folder, "file")
        with open(a_file, "w", encoding="ascii"):
            pass
        refused(start(data=a_file), "data/unusable", a_file)
        below = os.path.join(folder, "no", "such")
        refused(start(data=below), "data/unusable", below)
        tap.equal(os.path.exists(os.path.dirname(below)), False)
        refused(start(data="/" + "x" * 5000), "data/unusable")
    with Daemon() as d:
        before = sorted(os.listdir(d.data))
        refused(start(data=d.data), "data/locked", d.data)
        tap.equal(sorted(os.listdir(d.data)), before)
        tap.equal(d.http("GET", "/healthz").status, 200)


def test_a_read_only_data_directory():
    tap.skip_unless(os.geteuid() == 0, "needs root, to become another user")
    with temporary_folder() as folder:
        os.chmod(folder, 0o755)
        data = os.path.join(folder, "data")
        os.mkdir(data, 0o755)
        # The build folder may be closed to other users, as below /root.
        for name in ("linlid", "linli-worker"):
            shutil.copy(program(name), folder)
        other = {"user": NOBODY, "linlid": os.path.join(folder, "linlid")}
        refused(start(data=data, **other), "data/unusable", data)
        tap.equal(os.listdir(data), [])
        absent = os.path.join(folder, "absent")
        refused(start(data=absent, **other), "data/unusable", absent)
        tap.equal(os.path.exists(absent), False)


def test_production_refuses_what_is_for_development():
    with temporary_folder() as folder:
        data = os.path.join(folder, "data")
        plugins = os.path.join(tap.source_folder(), "examples")
        refused(start("--demo=on", "--plugins=" + plugins, data=data,
                      mode="production"),
                "config/development-only", "--demo=on")
        # Production is the default.
        refused(start("--demo=on", "--plugins=" + plugins, data=data,
                      mode=None), "config/development-only")
        refused(start("--clock=virtual", data=data, mode=None),
                "config/development-only", "--clock=virtual")
        tap.equal(os.path.exists(data), False)
    for config, part in (
            ({"rate_limit": "off"}, "rate_limit: off"),
            ({"worker": {"seccomp_default": "errno"}},
             "worker.seccomp_default: errno"),
            ({"worker.import_check": "off"}, "worker.import_check: off")):
        with configured(config) as (data, word):
            refused(start(word, data=data, mode="production"),
                    "config/development-only", part)
            tap.equal(os.path.exists(data), False)
        with Daemon(config=config) as d:
            tap.contains(d.stderr(), part)
    config = {"communities": [{"id": "demo"}], "plugins": [
        {"path": os.path.join(tap.source_folder(), HELLO),
         "community": "demo"}]}
    with configured(config) as (data, word):
        refused(start(word, data=data, mode="production"),
                "package/unsigned", HELLO)
        nothing_left(data)


def test_development_stays_on_loopback():
    with temporary_folder() as folder:
        data = os.path.join(folder, "data")
        for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:80", "*:0",
                        "1270.0.0.1:0", "127.0.0.1.example:0"):
            done = start(data=data, listen=address)
            tap.equal(done[0] > 0, True, (address, done))
            tap.equal(done[2].count("error["), 1, done)
            nothing_left(data)
        refused(start(data=data, listen="0.0.0.0:0"),
                "config/development-only", "0.0.0.0:0")


def test_command_lines_that_are_refused():
    with temporary_folder() as folder:
        data = os.path.join(folder, "data")
        for words in (["--colour=red"], ["stray"], ["--mode=staging"],
                      ["--demo=maybe"], ["--clock=fast"], ["--demo"], ["--data"],
                      ["--config="], ["--plugins=a", "--plugins=b"],
                      ["--listen=127.0.0.1:0"], ["--mode", "production"],
                      ["--demo=on"], ["-x"], [""], ["--help=1"]):
            done = start(*words, data=data)
            tap.equal(done[0], 2, (words, done))
            refused(done, "usage")
            tap.equal(os.path.exists(data), False, words)
        done = start("--worker=" + os.path.join(folder, "none"), data=data)
        refused(done, "sandbox/start", os.path.join(folder, "none"))
        nothing_left(data)


def test_help_and_version():
    for word, part in (("--help", "--listen"), ("-h", "--listen"),
                       ("--version", "linlid ")):
        done = run([program("linlid"), word])
        tap.equal((done.code, done.err), (0, ""), done)
        tap.contains(done.out, part)


# -- running ----------------------------------------------------------------

def test_ready():
    with Daemon() as d:
        ready = d.ready
        tap.equal(set(ready), {"ready", "url", "pid", "data", "clock",
                               "operator_token", "admin_token", "sandbox"})
        tap.equal(ready["clock"], "real")
        tap.equal(re.fullmatch("[A-Za-z0-9_-]{43}", ready["admin_token"])
                  is not None, True, ready)
        tap.equal(ready["ready"], True)
        tap.equal(ready["pid"], d.pid)
        tap.equal(os.path.samefile(ready["data"], d.data), True)
        tap.equal(re.fullmatch(r"http://127\.0\.0\.1:[0-9]+", ready["url"])
                  is not None, True, ready)
        tap.contains(ready["sandbox"], "seccomp + no_new_privs")
        tap.contains(d.stderr(), ready["sandbox"])
        answer = d.http("GET", "/v1/c/demo/admin/plugins", headers={
            "Authorization": "Bearer " + ready["operator_token"]})
        # The community is made by its first use.
        tap.equal(answer.status in (200, 404), True, answer)
        files = {name: os.stat(os.path.join(d.data, name))
                 for name in os.listdir(d.data)}
        for name in STATE_FILES + ("linlid.log", "dev.key"):
            tap.equal(stat.S_IMODE(files[name].st_mode), 0o600, name)
        tap.equal(stat.S_IMODE(os.stat(d.data).st_mode), 0o700)
        with open(os.path.join(d.data, "linlid.pid"),
                  encoding="ascii") as f:
            tap.equal(f.read(), "%d\n" % d.pid)
        with open(os.path.join(d.data, "linlid.json"),
                  encoding="utf-8") as f:
            tap.equal(json.load(f), ready)
        d.stop()
        left = set(os.listdir(d.data))
        tap.equal(left & set(STATE_FILES), set(), left)
        # The same directory serves again, with the same key.
        key = d.token("resident:r1")
        d.restart()
        d.enable(d.source(HELLO))
        answer = d.http("GET", "/v1/c/demo/hello/hello",
                        headers={"Authorization": "Bearer " + key})
        tap.equal(answer.status, 200, answer)


def test_a_virtual_clock_is_said():
    with Daemon(options=["--clock=virtual"]) as d:
        tap.equal(d.ready["clock"], "virtual")


def test_production_starts_without_plugins():
    with Daemon(mode="production") as d:
        # stdout may be a journal that many read; the file is its owner's.
        tap.equal((d.ready["operator_token"], d.ready["admin_token"]),
                  (None, None))
        with open(os.path.join(d.data, "linlid.json"),
                  encoding="utf-8") as f:
            kept = json.load(f)
        tap.equal(len(kept.pop("admin_token")), 43)
        d.ready.pop("admin_token")
        tap.equal(kept, d.ready)
        tap.equal(os.path.exists(os.path.join(d.data, "dev.key")), False)
        tap.equal(d.http("GET", "/readyz").status, 200)
        answer = d.http("GET", "/v1/c/demo/admin/plugins",
                        headers={"Authorization": "Bearer a.b.c"})
        tap.equal((answer.status, answer.code), (401, "auth/invalid"))


def test_health_and_log():
    with Daemon() as d:
        answer = d.http("GET", "/healthz")
        tap.equal((answer.status, answer.json["status"]), (200, "ok"))
        answer = d.http("GET", "/readyz")
        tap.equal((answer.status, answer.json),
                  (200, {"status": "ready", "loading": 0}))
        d.enable(d.source(HELLO))
        answer = d.http("GET", "/metrics")
        tap.contains(answer.headers["content-type"], "text/plain")
        tap.contains(answer.text, 'plugin="hello"')
        d.linli_ok("plugin", "disable", "hello")
        lines = d.log_lines()
        for line in lines:
            tap.equal(set(line) >= {"ts", "level", "code"}, True, line)
            tap.equal(re.fullmatch(
                r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"])
                is not None, True, line)
            tap.equal(line["level"] in ("debug", "info", "warn", "error"),
                      True, line)
        codes = [line["code"] for line in lines
                 if line.get("plugin") == "hello"]
        tap.equal(codes, ["plugin.enabled", "plugin.disabled"])


def waiting_plugin(parent):
    """A plugin whose call waits as long as its body says."""
    return plugin_folder(parent, probe_manifest(limits={"wall_ms": 8000}),
                         main__lua=LUA)


class Call(threading.Thread):
    """One call in a thread of its own; `answer` when it is over."""

    def __init__(self, daemon, ms):
        super().__init__()
        self.daemon_under_test, self.ms, self.answer = daemon, ms, None
        daemon.token("resident:r1")  # made here: not two at once
        self.start()

    def run(self):
        self.answer = self.daemon_under_test.call("probe", "/run",
                                                  {"ms": self.ms})


def test_sigterm_drains():
    with temporary_folder() as folder, \
            Daemon(config={"worker": {"drafts": True}}) as d:
        d.enable(waiting_plugin(folder))
        workers = d.workers()
        tap.equal(len(workers), 1)
        idle = d.connect()
        tap.equal(d.http("GET", "/healthz", connection=idle).status, 200)
        call = Call(d, 1500)
        time.sleep(0.4)
        os.kill(d.pid, signal.SIGTERM)
        time.sleep(0.2)

        def refuses():
            try:
                d.socket(1).close()
                return False
            except OSError:
                return True
        tap.equal(wait_until(refuses, 1.0), True, "new connections")
        tap.equal(call.is_alive(), True)
        os.kill(d.pid, signal.SIGTERM)  # impatience changes nothing
        call.join()
        tap.equal((call.answer.status, call.answer.json),
                  (200, {"ok": True}))
        tap.equal(call.answer.headers.get("connection"), "close")
        idle.close()
        tap.equal(d.process.wait(timeout=10), 0, "exit status")
        tap.equal(set(os.listdir(d.data)) & set(STATE_FILES), set())
        tap.equal([p for p in workers if p in processes()], [])
        codes = [line["code"] for line in d.log_lines()]
        tap.contains(codes, "host.draining")


def test_sigint_ends_it_too():
    with Daemon() as d:
        tap.equal(d.stop(signal.SIGINT), 0)


def test_kill_leaves_no_worker():
    with temporary_folder() as folder, \
            Daemon(config={"worker": {"drafts": True}}) as d:
        d.enable(waiting_plugin(folder))
        workers = descendants(d.pid)
        tap.equal(len(workers), 1)
        d.kill()
        gone = wait_until(lambda: not [
            p for p in workers
            if p in processes() and processes()[p][2] != "Z"], 5.0)
        tap.equal(gone, True, "workers after kill -9")
        # What a dead daemon left behind is no hindrance.
        tap.equal(os.path.exists(os.path.join(d.data, "linlid.pid")), True)
        done = d.linli("plugin", "list")
        tap.equal(done.code, 3, done)
        d.restart()
        tap.equal(d.http("GET", "/readyz").status, 200)


def test_a_reader_of_the_ready_line_that_goes():
    """Nobody reads stdout: a clean end, and no file that says otherwise."""
    with temporary_folder() as folder:
        data = os.path.join(folder, "data")
        read_end, write_end = os.pipe()
        os.close(read_end)
        process = subprocess.Popen(
            [program("linlid"), "--mode=development", "--data=" + data,
             "--listen=127.0.0.1:0"], stdin=subprocess.DEVNULL,
            stdout=write_end, stderr=subprocess.PIPE, text=True)
        os.close(write_end)
        try:
            _, err = process.communicate(timeout=20)
        finally:
            process.kill()
        tap.equal(process.returncode > 0, True, err)
        tap.contains(err, "stdout")
        nothing_left(data)


def test_demo():
    with Daemon(options=["--demo=on"], plugins=os.path.join(
            tap.source_folder(), "plugins")) as d:
        items = d.plugins_json()["items"]
        tap.equal([i["state"] for i in items], ["enabled"] * len(items))
        tap.contains([i["id"] for i in items], "parking")
        lines = re.findall(r"^curl (?:.*\\\n)*.*", d.stderr(), re.M)
        tap.equal(len(lines) > 0, True, d.stderr())
        for line in lines:
            done = run(["sh", "-c", line.replace("curl ", "curl -sf ", 1)])
            tap.equal(done.code, 0, (line, done))
            json.loads(done.out)


# -- linli, from end to end ---------------------------------------------------

def test_linli_against_the_daemon():
    with Daemon() as d:
        done = d.linli("plugin", "enable", d.source(HELLO), "--json")
        tap.equal(done.code, 0, done)
        plugin = done.json
        tap.equal(set(plugin) >= {"id", "version", "state", "workers",
                                  "restarts", "last_error", "hash"}, True)
        tap.equal((plugin["id"], plugin["state"], plugin["last_error"]),
                  ("hello", "enabled", None))
        tap.equal([w["pid"] for w in plugin["workers"]], d.workers())
        tap.equal(d.plugins_json()["items"][0]["id"], "hello")
        done = d.linli("plugin", "list")
        tap.equal(done.code, 0, done)
        for part in ("hello", "1.0.0", "enabled", str(d.workers()[0])):
            tap.contains(done.out, part)
        done = d.linli("call", "GET", "hello/hello", "--as", "resident:w")
        tap.equal((done.code, json.loads(done.out)),
                  (0, {"message": "你好, 邻里"}), done)
        done = d.linli("call", "POST", "/v1/c/demo/hello/hello", "--as",
                       "resident:w", "-d", '{"name":"王阿姨"}', "-i")
        tap.equal(done.code, 0, done)
        tap.contains(done.out, "200")
        tap.contains(done.out.lower(), "traceparent: ")
        done = d.linli("call", "POST", "hello/hello", "--as", "resident:w",
                       "-d", "{}")
        tap.equal(done.code, 1, done)
        tap.contains(done.err, "request/invalid")
        done = d.linli("call", "GET", "hello/hello", "--json")
        tap.equal((done.code, done.json["status"]), (1, 401), done)
        token = d.linli_ok("token", "--as", "resident:w", "--json").json
        answer = d.http("GET", "/v1/c/demo/hello/hello", headers={
            "Authorization": "Bearer " + token["token"]})
        tap.equal(answer.status, 200)
        done = d.linli("plugin", "disable", "hello", "--json")
        tap.equal((done.code, done.json["state"], done.json["workers"]),
                  (0, "disabled", []), done)
        done = d.linli("plugin", "disable", "nothing")
        tap.equal(done.code, 1, done)
        tap.contains(done.err, "request/not-found")
        done = d.linli("plugin", "enable", d.source("spec"), "--json")
        tap.equal(done.code, 1, done)
        tap.equal(json.loads(done.err)["error"]["code"],
                  "package/missing-file")
        # A bearer token is enough, wherever the data directory is.
        token_file = os.path.join(d.folder, "token")
        with open(token_file, "w", encoding="ascii") as f:
            f.write(d.ready["operator_token"])
        done = run([program("linli"), "plugin", "list", "--json", "--url",
                    d.url, "--token-file", token_file])
        tap.equal((done.code, done.json["items"][0]["state"]),
                  (0, "disabled"), done)
        done = d.linli("doctor")
        tap.equal(done.code, 0, done)


if __name__ == "__main__":
    tap.main()
