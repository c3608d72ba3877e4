"""tests/hostile/test_lua.py: plugins in Lua that mean harm, let loose on a
live linlid beside calls and plugins that do not.

test-timeout-s: 120
test-alone: yes
"""

import os
import re
import threading
import time

import tap
from arena import (HERE, MIB, SLACK_MS, SLOW, Arena, Innocents, both,
                   in_time)

BURST_MS = 50
WALL_MS = 600
INNOCENT_MS = 70  # they still wait when the worker is killed
AHEAD_S = 0.01
UNHURRIED_MS = 5000  # where time is not what is asked for
MEMORY_BYTES = 16 * MIB
# Above the cap: what the worker itself takes, and the allocator's tables.
RSS_BYTES_MAX = MEMORY_BYTES + 16 * MIB

OUTCOMES = {"timeout": (504, "sandbox/timeout"),
            "memory": (503, "sandbox/memory"),
            "crash": (503, "sandbox/crashed"),
            "error": (500, "plugin/error")}


def source(name):
    """A file of the hostile plugin."""
    with open(os.path.join(HERE, "lua", name), encoding="utf-8") as f:
        return f.read()


MODULES = ["loops", "bombs", "memory", "values", "escape"]


def enable(d, community="demo", burst_ms=BURST_MS):
    """The hostile plugin, in a community."""
    manifest = {
        "id": "hostile", "version": "1.0.0", "abi": 1, "runtime": "lua",
        "main": "main.lua",
        "limits": {"wall_ms": max(WALL_MS, burst_ms), "burst_ms": burst_ms,
                   "memory_bytes": MEMORY_BYTES},
        "problems": {"hostile/declared": {
            "status": 409, "title": {"zh-CN": "声明", "en": "Declared"}}},
        "routes": [{"method": "POST", "path": path, "caller": ["resident"],
                    "safe": True} for path in
                   ("/run/:kind/:what", "/innocent", "/marks")]}
    names = ["main.lua"] + [m + ".lua" for m in MODULES]
    folder = d.folder_of(manifest, files={n: source(n) for n in names})
    d.enable(folder, community=community)


# Those that wait for the host: the wall limit is theirs.
WAITING = ("host_calls", "host_call_never_heeded")


def names_of(kind):
    """The attacks of a file, as it names them."""
    return re.findall(r"^(?:function )?%s\.(\w+)" % kind,
                      source(kind + ".lua"), re.M)


def outcome(answer):
    """The word for how a call ended."""
    for word, pair in OUTCOMES.items():
        if (answer.status, answer.code) == pair:
            return word
    if answer.status < 300:
        return "answer"
    return "%d %s" % (answer.status, answer.code)


def attack(d, kind, name, wanted):
    """Run an attack beside innocent calls; the findings about it."""
    def run():
        others = Innocents(d, "hostile", 3, INNOCENT_MS)
        time.sleep(AHEAD_S)
        answer, took_ms = d.timed("hostile", "/run/%s/%s" % (kind, name))
        how, found = outcome(answer), []
        if how not in wanted:
            found.append("%s: %s after %.0f ms, wanted %s: %r"
                         % (name, how, took_ms, " or ".join(wanted),
                            answer.body[:300]))
        try:
            others.check()
        except AssertionError as why:
            found.append("%s: %s" % (name, why))
        return found, took_ms
    return in_time(run, WALL_MS if name in WAITING else BURST_MS, name)


def attack_all(d, kind, names, wanted, special=()):
    """Each attack, then one list of what was wrong."""
    found = []
    for name in names:
        found += attack(d, kind, name, dict(special).get(name, wanted))
    if found:
        raise tap.Findings("\n".join(found))


@both
def test_endless_loops(user):
    """No loop goes on past its limit, whoever catches its error."""
    with Arena(user) as d:
        enable(d)
        attack_all(d, "loops", names_of("loops"), ["timeout"])


@both
def test_library_bombs(user):
    """A library function that would take for ever, or everything."""
    either = ["timeout", "error", "memory"]
    with Arena(user) as d:
        enable(d)
        names = [n for n in names_of("bombs") if n != "find_after_wait"]
        attack_all(d, "bombs", names, either, {
            "find_pcall": ["timeout"], "rep_long": ["memory", "error"],
            "sort_inconsistent": ["timeout"], "print_endless": ["timeout"],
            "rep_nothing": either + ["answer"],
            "rep_separator": either + ["answer"]})


def worker_peaks(d):
    """{pid: peak of resident memory} of linlid's workers."""
    peaks = {}
    for pid in d.workers():
        try:
            with open("/proc/%d/status" % pid, encoding="ascii") as f:
                lines = dict(line.split(":", 1) for line in f)
            peaks[pid] = int(lines["VmHWM"].split()[0]) * 1024
        except (OSError, KeyError):
            continue  # it ended while we looked
    return peaks


@both
def test_memory(user):
    """Growth ends at the cap, and the worker stays under it."""
    peaks, stop = {}, threading.Event()

    def look(d):
        while not stop.wait(0.005):
            for pid, peak in worker_peaks(d).items():
                peaks[pid] = max(peaks.get(pid, 0), peak)

    with Arena(user) as d:
        enable(d)
        watcher = threading.Thread(target=look, args=(d,))
        watcher.start()
        try:
            names = [n for n in names_of("memory") if n != "hoard"]
            attack_all(d, "memory", names, ["memory", "timeout"],
                       {"stack": ["memory", "timeout", "error"],
                        "varargs": ["memory", "timeout", "error"]})
        finally:
            stop.set()
            watcher.join()
        tap.comment("%s: peak of a worker: %.1f MiB"
                    % (user, max(peaks.values()) / MIB))
        if max(peaks.values()) > RSS_BYTES_MAX * SLOW:
            raise AssertionError("a worker took %d bytes, %d allowed"
                                 % (max(peaks.values()), RSS_BYTES_MAX))


@both
def test_hoard(user):
    """What calls leave behind ends in one failed call, not in a plugin that
    is full for good."""
    seen = []
    with Arena(user) as d:
        enable(d, burst_ms=UNHURRIED_MS)
        for _ in range(12):
            answer = d.call("hostile", "/run/memory/hoard", {})
            seen.append(outcome(answer))
        tap.comment("%s: hoarding: %s" % (user, " ".join(seen)))
        if not set(seen) <= {"answer", "memory"}:
            raise AssertionError("hoarding: %r" % seen)
        tap.equal(seen[0], "answer")
        for a, b in zip(seen, seen[1:]):
            if a == b == "memory":
                raise AssertionError("full for good: %r" % seen)


@both
def test_values(user):
    """Recursion, and values that cannot be sent: an error, soon."""
    ends = ["error", "timeout", "memory"]
    with Arena(user) as d:
        enable(d)
        attack_all(d, "values", names_of("values"), ends, {
            "close_chain": ends + ["crash", "answer"],
            "close_nested": ends + ["crash", "answer"],
            "error_looping": ["error"], "error_itself": ["error"],
            "recursion_pcall": ends + ["answer"],
            "result_index_loop": ends + ["answer"],
            "echo_looping": ends + ["answer"],
            "result_looping": ends + ["answer"],
            "problem_bytes": ["error"],
            "problem_unknown": ["error"],
            "result_bytes": ["error", "answer"],
            "log_bytes": ["answer"],
            "result_unpacked": ["answer"],
            "error_in_error": ["error"]})
        for line in d.log_lines():  # each is JSON, and bounded
            if len(line.get("msg", "")) > 4096:
                raise AssertionError("a log line of %d characters"
                                     % len(line["msg"]))


@both
def test_escape(user):
    """Nothing forbidden is reachable, and no address or path leaks."""
    with Arena(user) as d:
        enable(d, burst_ms=UNHURRIED_MS)
        for name in ("walk", "require", "bytecode", "addresses", "paths",
                     "gc"):
            answer = d.call("hostile", "/run/escape/" + name, {})
            tap.equal((name, answer.status, answer.json),
                      (name, 200, {"result": []}))
        answer = d.call("hostile", "/run/escape/globals", {})
        tap.equal(sorted(answer.json["result"]), sorted(
            "_G _VERSION assert coroutine error getmetatable ipairs math "
            "next pairs pcall print rawequal rawget rawlen rawset require "
            "select setmetatable string table tonumber tostring type utf8 "
            "xpcall".split()), "globals")


@both
def test_marks(user):
    """Two instances of a plugin see nothing of each other."""
    with Arena(user) as d:
        enable(d, community="demo", burst_ms=UNHURRIED_MS)
        enable(d, community="other", burst_ms=UNHURRIED_MS)
        for _ in range(3):
            answer = d.call("hostile", "/run/escape/mark", {})
            tap.equal((answer.status, answer.json), (200, {"result": []}),
                      "marks that could be set")
        for community, wanted in (("other", []), ("demo", ["upvalue"])):
            answer = d.call("hostile", "/marks", {}, community=community)
            tap.equal((answer.status, answer.json),
                      (200, {"found": wanted}), "marks in " + community)


@both
def test_abandoned(user):
    """A run that has had its 504 goes on, where nothing can stop it: the
    only other call is not blamed for the kill."""
    with Arena(user) as d:
        enable(d)
        answers = []
        thread = threading.Thread(target=lambda: answers.append(
            d.timed("hostile", "/run/bombs/find_after_wait",
                    {"ms": WALL_MS - 20})))
        thread.start()
        time.sleep((WALL_MS - 200) / 1000)
        Innocents(d, "hostile", 1, 250).check()
        thread.join()
        answer, took_ms = answers[0]
        tap.equal(outcome(answer), "timeout")
        if took_ms > (WALL_MS + SLACK_MS) * SLOW:
            raise AssertionError("answered after %.0f ms" % took_ms)


@both
def test_known_bugs(user):
    """The interpreter's own: whatever becomes of the worker, the host and
    the others are well."""
    ends = ["answer", "error", "timeout", "memory", "crash"]
    with Arena(user) as d:
        enable(d)
        for name in ("weak_newindex", "weak_newindex_levels",
                     "weak_changed"):
            attack_all(d, "escape", [name], ends)
            answer = d.call("hostile", "/innocent", {"ms": 0, "n": 7})
            tap.equal((answer.status, answer.json), (200, {"n": 7}))


if __name__ == "__main__":
    tap.main()
