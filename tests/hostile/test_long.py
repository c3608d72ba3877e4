"""tests/hostile/test_long.py: what takes seconds by its nature: plugins that
attack while they are loaded, and the breaker. Runs beside other tests, so
that the neighbour is given more time.

test-timeout-s: 120
"""

import os
import threading
import time

import tap
from arena import SLOW, Arena, both, check_nothing_made

PATIENCE = 5

LOADING = {
    "loop": "while true do end",
    "pcall": "while true do pcall(function() while true do end end) end",
    "bomb": "(('a'):rep(3000)):find(('.-'):rep(20) .. 'b')",
    "memory": "local t = {} while true do t[#t + 1] = {} end",
    "recursion": "local function f() return 1 + f() end f()",
    "coroutine": "coroutine.wrap(function() while true do end end)()",
    "close": "local x <close> = setmetatable({}, {__close = function() "
             "while true do end end})",
    "bytecode": "\x1bLua\x54\0\x19\x93\r\n\x1a\n",
    "deep": "local x = " + "{" * 100000,
    "error": "error(setmetatable({}, {__tostring = function() "
             "while true do end end}))",
    "nothing": "return setmetatable({}, {__index = function() "
               "while true do end end})",
}
LOAD_MS = 5000  # exec to READY
BUSY_MS = 3000  # all of them at once, and what else the machine does


@both
def test_loading(user):
    """main.lua itself attacks: the plugin is refused, in time."""
    found = []

    def load(d, name, text):
        manifest = {"id": "load-" + name, "version": "1.0.0", "abi": 1,
                    "runtime": "lua", "main": "main.lua", "routes": []}
        folder = d.folder_of(manifest, main__lua=text)
        begin = time.monotonic()
        done = d.linli("plugin", "enable", folder, "--community", "demo",
                       "--json")
        took_ms = (time.monotonic() - begin) * 1000
        if done.code == 0:
            found.append("%s: loaded" % name)
        elif "plugin/load" not in done.out + done.err:
            found.append("%s: %r" % (name, done))
        if took_ms > (LOAD_MS + BUSY_MS) * SLOW:
            found.append("%s: refused after %.0f ms" % (name, took_ms))

    with Arena(user, patience=PATIENCE) as d:
        threads = [threading.Thread(target=load, args=(d, name, text))
                   for name, text in LOADING.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if found:
            raise tap.Findings("\n".join(found))


CONSTRUCTORS = {
    # name: may be loaded, must be refused
    "files": (True, False), "sockets": (False, True), "fork": (False, True),
    "garbage": (False, True), "ready": (True, True), "exit": (False, True),
    "loop": (False, True)}


def constructor(d, name, found):
    """A plugin that attacks while it is mapped; what was wrong."""
    plugin = "constructor"
    community = "k-" + name
    may_load, may_fail = CONSTRUCTORS[name]
    if d.config["worker"].get("seccomp_default") == "errno":
        may_load, may_fail = name not in ("garbage", "exit"), True
    os.makedirs(os.path.join(d.folder, name), exist_ok=True)
    os.chmod(os.path.join(d.folder, name), 0o755)
    folder = d.folder_of({
        "id": plugin, "version": "1.0.0", "abi": 1, "runtime": "native",
        "main": "c.so", "routes": [{"method": "POST", "path": "/done",
                                    "caller": ["resident"], "safe": True}]},
        parent=os.path.join(d.folder, name))
    d.place("constructor-%s.so" % name, os.path.join(folder, "c.so"))
    begin = time.monotonic()
    done = d.linli("plugin", "enable", folder, "--community", community)
    took_ms = (time.monotonic() - begin) * 1000
    if took_ms > (LOAD_MS + BUSY_MS) * SLOW:
        found.append("%s: refused after %.0f ms" % (name, took_ms))
    if done.code != 0:
        if not may_fail:
            found.append("%s: %r" % (name, done))
        return
    d.enabled.add((plugin, community))
    if not may_load:
        found.append("%s: loaded" % name)
    answer = d.call(plugin, "/done", {}, community=community)
    if answer.status == 200 and answer.json == {"done": 0}:
        return
    if not may_fail or answer.status < 500:
        found.append("%s: %r" % (name, answer))


def constructors(user, leave_out=(), **worker):
    """All of them at once."""
    found = []
    with Arena(user, patience=PATIENCE, **worker) as d:
        threads = [threading.Thread(target=constructor, args=(d, name, found))
                   for name in CONSTRUCTORS if name not in leave_out]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if found:
            raise tap.Findings("\n".join(found))
        check_nothing_made()


@both
def test_constructors(user):
    """What runs while the object is mapped has no way out either."""
    constructors(user)


@both
def test_constructors_refused(user):
    """The same with errno as the default action."""
    constructors(user, leave_out=["loop"], seccomp_default="errno")


PROBE_S = 10.0  # LL_BREAKER_PROBE_MS
CRASHES = 5


@both
def test_breaker(user):
    """Five crashes in a minute open it, one good call closes it."""
    with Arena(user, neighbour=False) as d:
        d.enable(d.native_folder(200, 5000))
        innocent = {"ms": 0, "n": 1}
        for n in range(CRASHES):
            answer, _ = d.timed("hostile-c", "/run/null-write")
            tap.equal((n, answer.status, answer.code),
                      (n, 503, "sandbox/crashed"))
        opened = time.monotonic()
        for path in ("/run/null-write", "/innocent"):
            answer, took_ms = d.timed("hostile-c", path, innocent)
            tap.equal((answer.status, answer.code),
                      (503, "sandbox/breaker-open"), path)
            tap.equal(answer.json["retryable"], True)
            if took_ms > 1000 * SLOW:  # at once, not at a limit
                raise AssertionError("refused after %.0f ms" % took_ms)
        tap.equal(d.plugin_state("hostile-c")["breaker"], "open")
        events = [line for line in d.log_lines()
                  if line["code"] == "sandbox/breaker-open"
                  and line["level"] == "error"]
        tap.equal(len(events), 1, "the operator was told")
        time.sleep(PROBE_S - (time.monotonic() - opened) + 0.2)
        answer, _ = d.timed("hostile-c", "/innocent", innocent)
        tap.equal((answer.status, answer.json), (200, {"n": 1}), "the probe")
        tap.equal(d.plugin_state("hostile-c")["breaker"], "closed")
        for _ in range(3):
            answer, _ = d.timed("hostile-c", "/innocent", innocent)
            tap.equal((answer.status, answer.json), (200, {"n": 1}))


if __name__ == "__main__":
    tap.main()
