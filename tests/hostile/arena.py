"""tests/hostile/arena.py: where hostile plugins are let loose.

An Arena is a live linlid with a sound neighbour plugin in it. It

- runs as root and at the same time, in cases marked @both, as an ordinary user
  (uid 65534, its own data directory); where the caller is not root, as the
  caller only;
- has the neighbour called every 10 ms by another process while the case
  runs: each answer must be there within 100 ms;
- compares, when the case is over, linlid's descriptors, children, zombies
  and memory with what they were before the first attack.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import traceback

import tap
from linli_test import Daemon, plugin_folder, processes, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
NOBODY = 65534
MIB = 1 << 20

# Past a limit, until the caller has his answer (sandbox.md: limit + 100 ms).
SLACK_MS = 100
NEIGHBOUR_MS = 100
# A machine that is busy with more than this may make one call late; not the
# same call three times over.
TRIES = 3
RSS_GROWTH_BYTES = 6 * MIB
SETTLE_S = 5.0
PACKAGE = "/memfd:linli-package (deleted)"


def sanitized():
    """Whether the build is one with a sanitizer."""
    with open(os.path.join(tap.build_folder(), "config.mk"),
              encoding="utf-8") as f:
        return any(line.startswith("sanitize = ") and line.split("=")[1].strip()
                   for line in f)


SLOW = 5 if sanitized() else 1


def users():
    """The users that linlid is run as."""
    return ("root", "user") if os.geteuid() == 0 else ("self",)


def both(body):
    """A case that runs body(user) for each user, at the same time."""
    def case():
        failures = {}

        def run(user):
            try:
                body(user)
            except BaseException as failure:  # told below, by user
                failures[user] = failure
        threads = [threading.Thread(target=run, args=(user,))
                   for user in users()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for user, failure in failures.items():
            if len(failures) == 1 and isinstance(failure, tap.Skip):
                raise failure
            tap.comment("linlid as %s:" % user)
            tap.comment("".join(traceback.format_exception(failure))
                        if not isinstance(failure, tap.Findings)
                        else str(failure))
        if failures:
            raise tap.Findings("failed as " + " and ".join(failures))
    case.__doc__ = body.__doc__
    return case


class Neighbour:
    """A process that calls the neighbour plugin all the while."""

    def __init__(self, daemon):
        self.process = subprocess.Popen(
            [sys.executable, "-B", os.path.join(HERE, "neighbour.py"),
             daemon.host, str(daemon.port), daemon.token("resident:n1"),
             str(daemon.pid)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        tap.equal(self.process.stdout.readline(), "ready\n", "the prober")

    def end(self):
        """Stop it: what it has seen."""
        self.process.send_signal(signal.SIGTERM)
        out = self.process.communicate(timeout=30)[0]
        return json.loads(out)

    def kill(self):
        """Stop it, whatever it has seen."""
        self.process.kill()
        self.process.communicate()


class Arena(Daemon):
    """A linlid with a neighbour; use it in a `with`."""

    def __init__(self, user, watched=True, neighbour=True, patience=1,
                 **worker):
        config = {"rate_limit": "off", "worker": {"drafts": True, **worker}}
        super().__init__(config=config)
        self.user, self.watched = user, watched
        self.with_neighbour = neighbour
        self.neighbour_ms = NEIGHBOUR_MS * patience * SLOW
        self.neighbour = None
        self.before = None
        self.callers = 0
        self.enabled = set()

    # -- life --------------------------------------------------------------

    def command_line(self):
        words = super().command_line()
        if self.user != "user":
            return words
        os.chmod(self.folder, 0o755)
        os.makedirs(self.data, mode=0o700, exist_ok=True)
        os.chown(self.data, NOBODY, NOBODY)
        # The build folder may lie where others cannot go.
        for name in ("linlid", "linli-worker"):
            copy = os.path.join(self.folder, name)
            if not os.path.exists(copy):
                shutil.copy(os.path.join(tap.build_folder(), name), copy)
        words[0] = os.path.join(self.folder, "linlid")
        return ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY),
                "--clear-groups", "--"] + words

    def start(self):
        super().start()
        self.before = None

    def __enter__(self):
        super().__enter__()
        try:
            if self.with_neighbour:
                self.enable(self.sound("neighbour"))
                for _ in range(20):  # warm: nothing is first any more
                    self.call("neighbour", "/hello", method="GET")
            if self.watched:
                self.watch()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def watch(self):
        """From here on the neighbour is called, and linlid's state is what
        it must be again at the end."""
        # Once the connections of a moment ago are closed.
        while True:
            self.before = self.state()
            time.sleep(0.05)
            if self.state()["fds"] == self.before["fds"]:
                break
        if self.with_neighbour:
            self.neighbour = Neighbour(self)

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.check_neighbour()
                self.check_state()
        except BaseException:
            self.give_up()
            super().__exit__(*sys.exc_info())
            raise
        self.give_up()
        return super().__exit__(kind, value, trace)

    def give_up(self):
        """No prober outlives the case."""
        if self.neighbour is not None:
            self.neighbour.kill()
            self.neighbour = None

    # -- what must hold all the while, and afterwards ----------------------

    def check_neighbour(self):
        """Each answer was there in time."""
        if self.neighbour is None:
            return
        seen = self.neighbour.end()
        self.neighbour = None
        tap.comment("%s: neighbour: %d calls, worst %.0f ms"
                    % (self.user, seen["calls"], seen["worst_ms"]))
        tap.equal(seen["wrong"], [], "answers of the neighbour")
        late = [s for s in seen["slowest"] if s > self.neighbour_ms]
        tap.equal(late, [], "neighbour's answers later than %d ms"
                  % self.neighbour_ms)
        if seen["calls"] == 0:
            raise AssertionError("the neighbour was never called")

    def state(self):
        """linlid's descriptors, children, zombies and memory."""
        table = processes()
        children = [p for p in table if table[p][0] == self.pid]
        with open("/proc/%d/status" % self.pid, encoding="ascii") as f:
            lines = dict(line.split(":", 1) for line in f)
        return {"fds": self.descriptors(),
                "children": len(children),
                "zombies": len([p for p in children if table[p][2] == "Z"]),
                "threads": int(lines["Threads"]),
                "rss": int(lines["VmRSS"].split()[0]) * 1024}

    def descriptors(self):
        """{what: how many} of linlid's descriptors."""
        found = {}
        folder = "/proc/%d/fd" % self.pid
        for fd in os.listdir(folder):
            with contextlib.suppress(OSError):
                what = os.readlink(os.path.join(folder, fd)).split(":[")[0]
                found[what] = found.get(what, 0) + 1
        return found

    def check_state(self):
        """As before the first attack: the plugins of the case are switched
        off, so that their workers are not counted."""
        if self.before is None:
            return
        for plugin, community in sorted(self.enabled):
            self.linli_ok("plugin", "disable", plugin,
                          "--community", community)

        # A plugin that is switched off stays installed, with its package.
        if self.enabled:
            packages = self.before["fds"].get(PACKAGE, 0)
            self.before["fds"][PACKAGE] = packages + len(self.enabled)

        # The store opens and closes its own files as it needs them.
        def changed():
            now = {**self.state(), **self.state()["fds"]}
            was = {**self.before, **self.before["fds"]}
            return ["%s: %s, was %s" % (k, now.get(k), was.get(k))
                    for k in sorted(set(now) | set(was))
                    if k not in ("rss", "fds") and "/linli.db" not in k
                    and now.get(k) != was.get(k)]
        if not wait_until(lambda: not changed(), SETTLE_S * SLOW):
            raise AssertionError("not as before: %s" % changed())
        grown = self.state()["rss"] - self.before["rss"]
        tap.comment("%s: linlid's memory: %+.1f MiB"
                    % (self.user, grown / MIB))
        if grown > RSS_GROWTH_BYTES * SLOW:
            raise AssertionError("linlid grew by %d bytes" % grown)

    # -- plugins -----------------------------------------------------------

    def enable(self, folder, community=None, config=None):
        done = super().enable(folder, community, config)
        if not folder.endswith("neighbour"):
            self.enabled.add((os.path.basename(folder),
                              community or self.community))
        return done

    def sound(self, name):
        """A plugin that means no harm."""
        return plugin_folder(self.folder, {
            "id": name, "version": "1.0.0", "abi": 1, "runtime": "lua",
            "main": "main.lua", "routes": [
                # Not billed: an answer that waits for no disk of anybody's.
                {"method": "GET", "path": "/hello", "caller": ["resident"],
                 "billed": False}]},
            main__lua="""
                local linli = require "linli"
                local p = linli.plugin()
                p:get("/hello", function() return 200, { well = true } end)
                return p
            """)

    def folder_of(self, manifest, parent=None, **files):
        """A plugin folder that linlid can read."""
        folder = plugin_folder(parent or self.folder, manifest, **files)
        for where, folders, names in os.walk(folder):
            for name in folders + names:
                path = os.path.join(where, name)
                os.chmod(path, 0o755 if os.path.isdir(path) else 0o644)
        return folder

    def native_folder(self, burst_ms, wall_ms, memory_bytes=16 * MIB,
                      **more):
        """The hostile plugin in C: POST /run/NAME, /innocent and /all; and
        with `more` of a manifest /keep/NAME and /drop/NAME, which may write.
        """
        folder = self.folder_of({
            "id": "hostile-c", "version": "1.0.0", "abi": 1,
            "runtime": "native", "main": "hostile.so",
            "limits": {"wall_ms": wall_ms, "burst_ms": burst_ms,
                       "memory_bytes": memory_bytes},
            "problems": {"hostile-c/declared": {
                "status": 409, "title": {"zh-CN": "声明", "en": "Said"}}},
            "routes": [{"method": "POST", "path": path,
                        "safe": path not in ("/keep/:what", "/drop/:what"),
                        "caller": ["resident"]}
                       for path in ("/run/:what", "/innocent", "/all",
                                    "/keep/:what", "/drop/:what")], **more})
        self.place("hostile.so", os.path.join(folder, "hostile.so"))
        return folder

    @staticmethod
    def place(name, path):
        """A built object of the hostile plugins, where linlid can read it."""
        shutil.copy(os.path.join(tap.build_folder(), "hostile", name), path)
        os.chmod(path, 0o644)

    def timed(self, plugin, path, body=None, **more):
        """(answer, milliseconds) of a call. Callers change, since burst
        kills count against the route and its caller: three a minute."""
        self.callers += 1
        as_ = "resident:c%d" % (self.callers // 3)
        self.token(as_, more.get("community"))
        begin = time.monotonic()
        answer = self.call(plugin, path, {} if body is None else body,
                           as_=as_, **more)
        return answer, (time.monotonic() - begin) * 1000

    def plugin_state(self, plugin, community="demo"):
        """Its row of `linli plugin list`."""
        listed = self.linli_ok("plugin", "list", "--json",
                               "--community", community).json["items"]
        return next(row for row in listed if row["id"] == plugin)


def check_nothing_made():
    """No attack has left a file."""
    for path in ("/tmp/linli-hostile", "/tmp/linli-enter"):
        if os.path.exists(path):
            raise AssertionError("%s was made" % path)


def in_time(run, limit_ms, what):
    """The findings of run(), which returns them and the milliseconds it took;
    again, if all that was wrong is that it was late."""
    bound_ms = (limit_ms + SLACK_MS) * SLOW
    for _ in range(TRIES):
        found, took_ms = run()
        if found or took_ms <= bound_ms:
            return found
    return ["%s: %.0f ms, at most %d wanted" % (what, took_ms, bound_ms)]


class Innocents:
    """Calls of others that wait in the same worker while an attack runs."""

    def __init__(self, arena, plugin, count, wait_ms, community=None):
        self.answers = [None] * count
        self.threads = []
        for n in range(count):
            thread = threading.Thread(target=self._call, args=(
                arena, plugin, n, wait_ms, community))
            thread.start()
            self.threads.append(thread)

    def _call(self, arena, plugin, n, wait_ms, community):
        with contextlib.suppress(OSError):
            self.answers[n] = arena.call(
                plugin, "/innocent", {"ms": wait_ms, "n": n},
                as_="resident:i%d" % n, community=community)

    def check(self):
        """Each has its own answer."""
        for thread in self.threads:
            thread.join()
        for n, answer in enumerate(self.answers):
            if answer is None or answer.status != 200:
                raise AssertionError("innocent call %d: %r" % (n, answer))
            tap.equal(answer.json["n"], n, "answer of innocent call")
