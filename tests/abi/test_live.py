"""tests/abi/test_live.py: native plugins in a real worker, behind linlid.

What the unit tests show with a faked process is shown here with the sandbox,
the rings and the host in between: loading, refusals that name the fix, the
plugin's mistakes, host calls, bundled libraries.
"""

import json
import os

import tap
from linli_test import Daemon, plugin_folder, program, temporary_folder

ROUTES = [{"method": "GET", "path": "/a", "caller": ["resident"]},
          {"method": "POST", "path": "/:what", "caller": ["resident"],
           "safe": True}]
TITLE = {"zh-CN": "不行", "en": "No"}
PROBLEMS = {"good/no": {"status": 409, "title": TITLE}}


def fixture(name):
    """The bytes of an object that tests/abi/abi.mk has built."""
    with open(os.path.join(program("abi"), "fixtures", name), "rb") as f:
        return f.read()


def native_folder(parent, main, *bundled):
    """A package of a native plugin with these fixtures."""
    manifest = {"id": "good", "version": "1.0.0", "abi": 1,
                "runtime": "native", "main": "lib/" + main,
                "routes": ROUTES, "problems": PROBLEMS}
    files = {"lib/" + name: fixture(name) for name in (main,) + bundled}
    return plugin_folder(parent, manifest, files=files)


def post(daemon, what, body=None):
    """One call of the plugin's second route."""
    return daemon.http("POST", "/v1/c/demo/good/" + what, body=body,
                       as_="resident:r1")


def log_text(daemon):
    """The text of the log."""
    return json.dumps(daemon.log_lines(), ensure_ascii=False)


def test_answers_problems_and_mistakes():
    with temporary_folder() as parent, Daemon() as d:
        d.enable(native_folder(parent, "good.so"))
        answer = post(d, "log", {"a": [1, "邻里"]})
        tap.equal((answer.status, answer.json), (200, {"a": [1, "邻里"]}))
        tap.contains(log_text(d), '"msg": "demo"',
                     "the log, with the line of create")
        tap.equal(post(d, "no-content").status, 204)
        answer = post(d, "fail", "\"sorry\"")
        tap.equal((answer.status, answer.code), (409, "good/no"))
        for what, reason in (("silent", "without an answer"),
                             ("twice", "answered the call twice"),
                             ("bad-json", "reply: "),
                             ("made-up", "a ctx that never was"),
                             ("undeclared", "declares no problem")):
            answer = post(d, what)
            tap.equal((answer.status, answer.code), (500, "plugin/error"))
            assert reason not in answer.text, "the caller is told: " + what
            tap.contains(log_text(d), reason, "the log after " + what)
        # The same worker goes on.
        tap.equal(post(d, "log", {}).status, 200)


def test_host_calls_of_a_draft():
    with temporary_folder() as parent:
        folder = native_folder(parent, "good.so")
        value = {"b": [1, -2.5, None, True, "\u0000 邻"], "a": {}}
        with Daemon(config={"worker": {"drafts": True}}) as d:
            d.enable(folder)
            answer = post(d, "echo", value)
            tap.equal((answer.status, answer.json), (200, value))
            tap.equal(list(answer.json), list(value), "the members' order")
        with Daemon() as d:
            d.enable(folder)
            tap.equal(post(d, "echo", value).code, "plugin/error")


def test_a_lua_plugin_may_print_as_it_loads():
    manifest = {"id": "loud", "version": "1.0.0", "abi": 1, "runtime": "lua",
                "main": "main.lua", "routes": ROUTES[:1]}
    main = ("print('as it loads')\n"
            "local p = require('linli').plugin()\n"
            "p:get('/a', function() return 200, {} end)\nreturn p\n")
    with temporary_folder() as parent, Daemon() as d:
        d.enable(plugin_folder(parent, manifest, main__lua=main))
        answer = d.http("GET", "/v1/c/demo/loud/a", as_="resident:r1")
        tap.equal(answer.status, 200)
        tap.contains(log_text(d), "as it loads")


def test_documents_and_effects():
    """Each function of the stable interfaces, against the real host."""
    manifest = {"id": "good", "version": "1.0.0", "abi": 1,
                "runtime": "native", "main": "lib/stored.so",
                "routes": [{"method": "POST", "path": "/:what",
                            "caller": ["resident"]}],
                "problems": PROBLEMS,
                "collections": {"booking": {"indexes": {
                    "by_plate": {"fields": ["plate"], "unique": True,
                                 "sparse": True},
                    "by_space": {"fields": ["space"], "interval": {
                        "from": "from", "to": "to", "longest_ms": 100}}}}},
                "timers": ["expire"],
                "events": {"publishes": ["good.done"]},
                "meters": {"good.used": {"kind": "count", "unit": "use",
                                         "max_per_call": 10}},
                "alerts": ["good.odd"]}
    first = {"id": "b1", "plate": "A1", "space": "s", "from": 1, "to": 9}
    steps = (
        ("get", None, [-12, -1]),
        ("insert", first, [0, first]),
        ("insert", first, [-9, -1]),
        ("conflict", {"id": "b2", "plate": "A1"}, [0, "by_plate"]),
        ("get", None, [0, first]),
        ("patch", {"plate": None}, [0, {k: v for k, v in first.items()
                                        if k != "plate"}]),
        ("put", first, [0, first]),
        ("list", {"index": "by_plate", "eq": ["A1"]}, [0, {"items": [first]}]),
        ("count", {"index": "by_plate"}, [0, 1]),
        ("overlaps", {"index": "by_space", "eq": ["s"], "from": 8, "to": 20},
         [0, [first]]),
        ("overlaps", {"index": "by_space", "eq": ["s"], "from": 9, "to": 20},
         [0, []]),
        ("overlaps", {"index": "by_space", "eq": ["s"], "from": 8, "to": 20,
                      "limit": 1}, [0, [first]]),
        # Members that mean nothing there are refused, and so is no value.
        ("overlaps", {"index": "by_space", "eq": ["s"], "from": 8, "to": 20,
                      "limit": 2}, [-2, -1]),
        ("overlaps", {"index": "by_space", "eq": ["s"], "from": 8, "to": 20,
                      "descending": True}, [-2, -1]),
        ("count", {"limit": 1}, [-2, 0]),
        ("count", {"descending": True}, [-2, 0]),
        ("count", {"cursor": "c"}, [-2, 0]),
        ("count", {"index": "by_plate", "eq": []}, [-2, 0]),
        ("list", {"index": "by_plate", "from": []}, [-2, -1]),
        ("list", {"index": "by_plate", "to": []}, [-2, -1]),
        ("remove", None, [0, -1]),
        ("remove", None, [-12, -1]),
        ("event", {"a": 1}, [0, -1]),
        ("alert", {"a": 1}, [0, -1]),
        ("meter", None, [0, -1]),
        ("code", None, [0, 1]))
    with temporary_folder() as parent, Daemon() as d:
        d.enable(plugin_folder(parent, manifest,
                               files={"lib/stored.so": fixture("stored.so")}))
        for i, (what, body, told) in enumerate(steps):
            answer = d.http("POST", "/v1/c/demo/good/" + what, body=body,
                            as_="resident:r1", key="k%d" % i)
            tap.equal((answer.status, answer.json), (200, told), what)
        # What is not the plugin's to handle is told the caller.
        answer = d.http("POST", "/v1/c/demo/good/list", key="cursor",
                        body={"cursor": "no"}, as_="resident:r1")
        tap.equal((answer.status, answer.code), (400, "request/cursor"))


def test_bundled_library():
    with temporary_folder() as parent, Daemon() as d:
        d.enable(native_folder(parent, "bundled.so", "libdep.so"))
        tap.equal(post(d, "log", {}).status, 200)


def test_refusals_name_object_rule_and_fix():
    cases = (("execstack.so", "executable stack", "noexecstack"),
             ("textrel.so", "text relocations", "-fPIC"),
             ("printf.so", "imports printf", "core->log"),
             ("needed.so", "libforeign.so", "statically"),
             ("empty.so", "linli_plugin_v1", "LINLI_EXPORT"),
             ("version.so", "1.0.1", "same version"),
             ("level.so", "level 2", "Rebuild"))
    with Daemon() as d:
        for main, rule, fix in cases:
            with temporary_folder() as parent:
                done = d.enable_fails(native_folder(parent, main))
                said = done.out + done.err
                for part in ("lib/" + main, rule, fix):
                    tap.contains(said, part, main)


def test_the_import_check_can_be_off_in_development():
    config = {"worker": {"import_check": "off"}}
    with temporary_folder() as parent, Daemon(config=config) as d:
        done = d.enable_fails(native_folder(parent, "printf.so"))
        # It is mapped, and then is no plugin.
        tap.contains(done.out + done.err, "linli_plugin_v1")


if __name__ == "__main__":
    tap.main()
