"""tests/hostile/test_native.py: native plugins that mean harm, let loose on
a live linlid: system calls, faults, constructors, and a plugin that writes
the wire itself.

What a system call attacks runs twice: with the filter as shipped, which ends
the process, and with errno as its default action, which lets the attacker
try the next door.

test-timeout-s: 120
test-alone: yes
"""

import json
import os
import threading
import time

import tap
from arena import (MIB, SLOW, Arena, Innocents, both, check_nothing_made,
                   in_time)
from linli_test import wait_until

BURST_MS = 60
WALL_MS = 600
MEMORY_BYTES = 16 * MIB
# Native code has its own allocator: RLIMIT_AS, cap + 64 MiB, is the limit.
RSS_BYTES_MAX = MEMORY_BYTES + 80 * MIB
INNOCENT_MS = 30
CRASHES_MAX = 4  # the fifth within a minute opens the breaker

OUTCOMES = {"timeout": (504, "sandbox/timeout"),
            "crash": (503, "sandbox/crashed"),
            "protocol": (503, "sandbox/protocol"),
            "declared": (409, "hostile-c/declared"),
            "invalid": (422, "request/invalid"),
            "error": (500, "plugin/error")}


def outcome(answer):
    """The word for how a call ended."""
    for word, pair in OUTCOMES.items():
        if (answer.status, answer.code) == pair:
            return word
    if answer.status == 200 and answer.body.startswith(b'{"result":'):
        return "refused" if answer.json["result"] < 0 else "done"
    return "%d %s" % (answer.status, answer.code)


class Victims:
    """The hostile plugin in one community after the other: a new one before
    the breaker of the last would open."""

    def __init__(self, d):
        self.d = d
        self.number, self.crashes = 0, CRASHES_MAX
        self.folder = d.native_folder(BURST_MS, WALL_MS, MEMORY_BYTES)

    def community(self):
        """Where the next attack goes."""
        if self.crashes >= CRASHES_MAX:
            self.number, self.crashes = self.number + 1, 0
            self.d.enable(self.folder, community=self.name())
            for n in range(2):
                self.d.token("resident:i%d" % n, self.name())
        return self.name()

    def name(self):
        """The community of now."""
        return "c%d" % self.number

    def attack(self, name, wanted, limit_ms=BURST_MS):
        """Run an attack beside innocent calls; the findings about it."""
        def run():
            community = self.community()
            others = Innocents(self.d, "hostile-c", 2, INNOCENT_MS, community)
            time.sleep(0.005)
            answer, took_ms = self.d.timed("hostile-c", "/run/" + name,
                                           community=community)
            how, found = outcome(answer), []
            self.crashes += how != "refused"
            if how not in wanted:
                found.append("%s: %s, wanted %s: %r" % (
                    name, how, " or ".join(wanted), answer.body[:300]))
            try:
                others.check()
            except AssertionError as why:
                found.append("%s: %s" % (name, why))
            return found, took_ms
        return in_time(run, limit_ms, name)

    def attack_all(self, table, limit_ms=BURST_MS):
        """Each row of {name: outcomes}."""
        found = []
        for name, wanted in table.items():
            found += self.attack(name, wanted, limit_ms)
        if found:
            raise tap.Findings("\n".join(found))


# Refused with an errno by rules of their own, whatever the default action.
REFUSED = """file-read file-write file-memory file-environment file-object
    process-clone3 kernel-limits left-descriptors left-environment""".split()
if SLOW > 1:  # a sanitizer's runtime asks for it
    REFUSED.append("kernel-prctl")
KILLED = """file-openat2 socket-tcp socket-mptcp socket-udp socket-unix
    socket-netlink socket-pair process-fork process-thread process-exec
    process-trace process-read process-pidfd signal-group signal-all
    signal-parent memory-rwx memory-mprotect memory-pkey memory-memfd
    memory-shared memory-personality kernel-uring kernel-bpf kernel-unshare
    kernel-setns kernel-mount kernel-prctl kernel-shm kernel-timer
    descriptor-dup descriptor-pass""".split()
# Other doors than our machine's own: they end the process in any case.
DOORS = ["door-int80", "door-x32"] if os.uname().machine == "x86_64" else []


@both
def test_system_calls(user):
    """As shipped: the process ends at the first door."""
    with Arena(user) as d:
        Victims(d).attack_all({
            **{name: ["crash"] for name in KILLED + DOORS},
            **{name: ["refused"] for name in REFUSED}})
        check_nothing_made()


@both
def test_system_calls_refused(user):
    """With errno as the default action: every door is shut."""
    with Arena(user, seccomp_default="errno") as d:
        victims = Victims(d)
        victims.attack_all({
            **{name: ["refused"] for name in REFUSED + KILLED},
            **{name: ["refused", "crash"] for name in DOORS}})
        answer = d.call("hostile-c", "/all", {},
                        community=victims.community())
        tap.equal(answer.status, 200, answer)
        *succeeded, tried = answer.json
        tap.comment("%s: %d system calls tried" % (user, tried))
        tap.equal(succeeded, [], "system calls that succeeded")
        if tried < 100:
            raise AssertionError("%d system calls tried" % tried)
        check_nothing_made()


@both
def test_faults(user):
    """A plugin that dies: its own call fails, and nobody else's."""
    with Arena(user) as d:
        Victims(d).attack_all({name: ["crash"] for name in (
            "null-write", "null-call", "text-write", "aborts",
            "kills-itself", "stack-overflow", "divides", "exits",
            "exits-after-reply", "exits-thread", "unmaps-everything")})


@both
def test_hanging(user):
    """A plugin that hangs, by whatever means, has its limit."""
    with Arena(user) as d:
        victims = Victims(d)
        victims.attack_all({name: ["timeout"] for name in (
            "spins", "spins-deaf", "faults-for-ever", "sleeps",
            "waits-for-nothing", "reads-for-ever", "stops",
            "yields-for-ever")})
        victims.attack_all({"replies-long": ["refused"],
                            "wrong-context": ["refused"]})


@both
def test_memory(user):
    """A plugin that takes what it can get stays under its limit."""
    peak, stop = [0], threading.Event()

    def look(d):
        while not stop.wait(0.002):
            for pid in d.workers():
                try:
                    with open("/proc/%d/statm" % pid, encoding="ascii") as f:
                        pages = int(f.read().split()[1])
                except (OSError, IndexError):
                    continue  # it ended while we looked
                peak[0] = max(peak[0], pages * os.sysconf("SC_PAGE_SIZE"))

    with Arena(user) as d:
        watcher = threading.Thread(target=look, args=(d,))
        watcher.start()
        try:
            Victims(d).attack_all({
                name: ["crash", "timeout"]
                for name in ("takes-memory", "takes-pages")})
        finally:
            stop.set()
            watcher.join()
    tap.comment("%s: peak of a worker: %.1f MiB" % (user, peak[0] / MIB))
    if not 0 < peak[0] <= RSS_BYTES_MAX * SLOW:
        raise AssertionError("a worker took %d bytes" % peak[0])


PROTOCOL = """garbage magic version reserved oversized type-unknown
    type-of-host type-ready call-of-nobody run-of-nobody reply-status
    reply-shape reply-leftover reply-lie reply-etag-line reply-etag-long
    log-level log-long hostcall-zero hostcall-twice hostcall-deep
    hostcall-wide ended control-garbage control-ready control-refused
    written-far written-wrapped written-back written-more read-far""".split()


@both
def test_forged_frames(user):
    """Whatever is not the protocol ends the worker, and its call says so."""
    with Arena(user) as d:
        Victims(d).attack_all({name: ["protocol"] for name in PROTOCOL})
        check_log(d)


@both
def test_frames_that_lie(user):
    """Well-formed frames in the worker's name: what is in them is judged."""
    with Arena(user) as d:
        victims = Victims(d)
        victims.attack_all({
            "promised-then-exit": ["crash"], "reply-twice": ["refused"],
            "failed-code": ["error"], "failed-runtime": ["error"],
            "failed-declared": ["declared"], "failed-errors": ["invalid"],
            "log-bytes": ["refused"], "read-never": ["done"],
            "log-storm": ["timeout"], "wake-storm": ["timeout", "protocol"]})
        victims.attack_all({"promised": ["timeout"],
                            "running-nobody": ["timeout"],
                            "running-another": ["timeout"],
                            "turns-forged": ["timeout"],
                            "asleep-forged": ["timeout"]}, WALL_MS)
        check_log(d)


@both
def test_bodies_that_lie(user):
    """A body where HTTP has none cannot be taken for the next answer."""
    with Arena(user) as d:
        victims = Victims(d)
        connection = d.connect()
        for name, status in (("reply-204", 204), ("reply-bytes", 200)):
            community = victims.community()
            answer = d.call("hostile-c", "/run/" + name, {},
                            community=community, connection=connection)
            tap.equal(answer.status, status, name)
            if status == 204:
                tap.equal(answer.body, b"", name)
            answer = d.call("hostile-c", "/innocent", {"ms": 1, "n": 5},
                            community=community, connection=connection)
            tap.equal((answer.status, answer.json), (200, {"n": 5}),
                      "the next answer after " + name)
        connection.close()


@both
def test_busy_after_the_answer(user):
    """Answered, and not back: the next call of the worker is not the one to
    pay, and a worker that burns for nobody is ended."""
    with Arena(user, count_native=1) as d:
        victims = Victims(d)
        community = victims.community()
        for _ in range(2):
            found = victims.attack("burns-after-reply", ["refused"])
            tap.equal(found, [])
            answer = d.call("hostile-c", "/innocent", {"ms": 1, "n": 6},
                            community=community)
            tap.equal((answer.status, answer.json), (200, {"n": 6}))
        tap.equal(victims.attack("burns-unseen", ["refused"]), [])
        workers = set(d.workers())

        def ended():
            return len(set(d.workers()) & workers) < len(workers)
        if not wait_until(ended, 4 * SLOW):
            raise AssertionError("it burns for ever")


@both
def test_logs(user):
    """A plugin that logs without end fills no disk."""
    with Arena(user) as d:
        victims = Victims(d)
        path = os.path.join(d.data, "linlid.log")
        for name in ("logs-for-ever", "logs-nothing"):
            before = os.path.getsize(path)
            tap.equal(victims.attack(name, ["timeout"], WALL_MS), [])
            grown = os.path.getsize(path) - before
            tap.comment("%s: %s: %d KiB" % (user, name, grown // 1024))
            if grown > MIB:
                raise AssertionError("%s: %d bytes of log" % (name, grown))
        check_log(d)


def check_log(d):
    """Each line of the log is one JSON object in UTF-8, no control byte."""
    with open(os.path.join(d.data, "linlid.log"), "rb") as f:
        for line in f:
            row = json.loads(line.decode("utf-8"))
            if not isinstance(row, dict) or any(
                    b < 0x20 for b in line.rstrip(b"\n")):
                raise AssertionError("a line of the log: %r" % line[:200])


if __name__ == "__main__":
    tap.main()
