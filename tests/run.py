#!/usr/bin/env python3
"""tests/run.py: runs every test program and adds up what they say.

    tests/run.py --src SRC --build BUILD [--jobs N] [--suite NAME] [WORD]...

A test is a program that prints TAP. Suites, in the order they are listed:

  lint         tests/lint/lint_*.py           the house's own rules
  unit         BUILD/unit/test_*              one module each
  conformance  BUILD/conform/test_*           the code against spec/
  fuzz         BUILD/fuzz/replay_*            each corpus, without a fuzzer
  abi          tests/abi/test_*.py            the frozen plugin ABI
  lua          {plugins,examples,sdk}/**/test/test_*.lua
  examples     {plugins,examples}/**/test_*.py    the examples, run
  scenario     tests/scenario/test_*.py       a live linlid
  hostile      tests/hostile/test_*.py        the same, with hostile plugins
  faults       tests/faults/test_*.py         the same, killed, without disk

WORDs select the tests whose names contain one of them. One line per test
with its cases and seconds; a failing test's output follows it. A test fails
if a case does, if it exits non-zero, prints no TAP, breaks its plan, or
passes its time limit. The last line is `N passed, N failed`, in cases; the
exit status is 1 if any failed or none ran.
"""

import argparse
import concurrent.futures
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

SUITES = ("lint", "unit", "conformance", "fuzz", "abi", "lua", "examples",
          "scenario", "hostile", "faults")

# Seconds one test program may take; one whose source needs more says so in its
# first lines with "test-timeout-s: N". Sanitizers multiply all of them. One
# that measures time says "test-alone: yes" and runs when the others are done.
TIMEOUT_S = {"lint": 120, "unit": 60, "conformance": 60, "fuzz": 60,
             "abi": 120, "lua": 60, "examples": 120, "scenario": 180,
             "hostile": 120, "faults": 180}
SANITIZER_FACTOR = 5
DECLARED_TIMEOUT = re.compile(rb"^(?:# | \* )?test-timeout-s: (\d+)", re.M)
DECLARED_ALONE = re.compile(rb"^(?:# | \* )?test-alone: yes", re.M)
OUTPUT_BYTES_MAX = 64 * 1024  # of one failing test, printed

TAP_LINE = re.compile(r"(not )?ok\b(?: *(\d+))?(?: *-? *)(.*)")
TAP_SKIP = re.compile(r"(?<!\\)# *skip\S*\s*(.*)", re.I)
TAP_PLAN = re.compile(r"1\.\.(\d+)(?: *# *skip\S*\s*(.*))?", re.I)


class Test:
    """One test program: its suite, name, command and time limit."""

    def __init__(self, suite, name, command, source=None):
        self.suite, self.name, self.command = suite, name, command
        self.timeout_s = TIMEOUT_S[suite]
        self.alone = False
        if source is not None:
            with open(source, "rb") as f:
                head = f.read(4096)
            declared = DECLARED_TIMEOUT.search(head)
            if declared:
                self.timeout_s = int(declared.group(1))
            self.alone = DECLARED_ALONE.search(head) is not None


class Result:
    """What a test said: cases passed, failures by name, skips with why."""

    def __init__(self):
        self.passed = 0
        self.failures = []
        self.skips = []
        self.seconds = 0.0
        self.output = ""


def read_tap(text, result):
    """Count the TAP lines of text into result; a broken plan is a failure."""
    plan = None
    cases = 0
    for line in text.splitlines():
        found = TAP_PLAN.fullmatch(line.strip())
        if found:
            if plan is not None:
                result.failures.append("two plans")
            plan = int(found.group(1))
            if plan == 0:
                result.skips.append(("all", found.group(2) or "no reason"))
            continue
        found = TAP_LINE.fullmatch(line)
        if not found:
            continue
        cases += 1
        name = found.group(3).strip() or "case %d" % cases
        skip = TAP_SKIP.search(name)
        if found.group(1):
            result.failures.append(name)
        elif skip:
            result.skips.append((name[:skip.start()].strip(),
                                 skip.group(1) or "no reason"))
        else:
            result.passed += 1
    if plan is None and cases == 0:
        result.failures.append("printed no TAP")
    elif plan is None:
        result.failures.append("printed no plan (1..N): it ended early")
    elif plan != cases:
        result.failures.append("planned %d cases, ran %d" % (plan, cases))


class Runner:
    """Runs tests; each in its own session, so that a limit ends all of it."""

    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.groups = set()
        self.stopping = False

    def environment(self):
        """What every test gets besides the caller's environment."""
        env = dict(os.environ)
        src, build = self.options.src, self.options.build
        env.update(LINLI_SRC=src, LINLI_BUILD=build, LC_ALL="C.UTF-8",
                   PYTHONDONTWRITEBYTECODE="1",
                   PYTHONPATH=os.path.join(src, "tests", "lib"),
                   LUA_PATH="%s/sdk/lua/?.lua;%s/sdk/lua/?/init.lua;;"
                   % (src, src))
        for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
            env.pop(name, None)  # a make that a test starts is its own
        return env

    def run(self, test):
        """Run one test to its end or its limit; a Result."""
        result = Result()
        if self.stopping:
            return result
        limit = test.timeout_s * self.options.slow
        start = time.monotonic()
        with tempfile.TemporaryFile() as out:
            child = subprocess.Popen(
                test.command, stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, cwd=self.options.build,
                env=self.environment(), start_new_session=True)
            with self.lock:
                self.groups.add(child.pid)
            try:
                code = child.wait(timeout=limit)
            except subprocess.TimeoutExpired:
                code = None
            self.end_group(child.pid)
            child.wait()
            out.seek(0)
            result.output = out.read().decode("utf-8", "replace")
        result.seconds = time.monotonic() - start
        self.judge(result, code, limit)
        return result

    @staticmethod
    def judge(result, code, limit):
        """The verdict: what TAP says, and what the exit status says."""
        if code is None:
            result.failures.append("passed its time limit of %d s" % limit)
            return
        read_tap(result.output, result)
        if code < 0:
            result.failures.append("died of signal %d (%s)"
                                   % (-code, signal.Signals(-code).name))
        elif code != 0 and not result.failures:
            result.failures.append("exit status %d" % code)

    def end_group(self, group):
        """Kill what a test left running in its own process group."""
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass
        with self.lock:
            self.groups.discard(group)

    def end_all(self):
        """Interrupted: end the tests that run, start no more."""
        self.stopping = True
        with self.lock:
            groups = list(self.groups)
        for group in groups:
            self.end_group(group)


def python(path):
    """The command that runs a Python test."""
    return [sys.executable, "-B", path]


def programs(build, folder, pattern, wanted):
    """Built test programs: those make names, and no stale ones."""
    names = wanted if wanted is not None else [
        p for p in sorted(glob.glob(os.path.join(build, folder, pattern)))
        if os.access(p, os.X_OK) and not p.endswith((".o", ".d", ".json"))]
    return [(os.path.relpath(os.path.join(build, p), build),
             os.path.join(build, p)) for p in names]


def scripts(src, *patterns):
    """Scripts of the source tree, by glob, sorted and once each."""
    found = set()
    for pattern in patterns:
        found.update(glob.glob(os.path.join(src, pattern), recursive=True))
    return [(os.path.relpath(p, src), p) for p in sorted(found)]


def discover(options):
    """Every test there is, in the order of SUITES."""
    src, build = options.src, options.build
    tests = []

    def add(suite, found, command, source=lambda path: path):
        tests.extend(Test(suite, name, command(path), source(path))
                     for name, path in found)

    def source_of(path):
        source = os.path.join(src, "tests", "unit",
                              os.path.basename(path) + ".c")
        return source if os.path.exists(source) else None

    def replay(path):
        name = os.path.basename(path)[len("replay_"):]
        return [path, os.path.join(src, "tests", "fuzz", "corpus", name)]

    named = options.programs
    add("lint", scripts(src, "tests/lint/lint_*.py"), python)
    for suite, folder, pattern in (("unit", "unit", "test_*"),
                                   ("conformance", "conform", "test_*"),
                                   ("fuzz", "fuzz", "replay_*")):
        wanted = None if named is None else [
            p for p in named if p.startswith(folder + "/")]
        add(suite, programs(build, folder, pattern, wanted),
            replay if suite == "fuzz" else lambda path: [path],
            source=source_of)
    add("abi", scripts(src, "tests/abi/test_*.py"), python)
    add("lua", scripts(src, "plugins/**/test/test_*.lua",
                       "examples/**/test/test_*.lua",
                       "sdk/**/test/test_*.lua"),
        lambda path: [options.lua, path])
    add("examples", scripts(src, "examples/**/test_*.py",
                            "plugins/**/test_*.py"), python)
    add("scenario", scripts(src, "tests/scenario/test_*.py"), python)
    add("hostile", scripts(src, "tests/hostile/test_*.py"), python)
    add("faults", scripts(src, "tests/faults/test_*.py"), python)
    return tests


def read_exceptions(path):
    """{test name: reason} from lines of "NAME: reason"; # is a comment."""
    found = {}
    if path is None:
        return found
    with open(path, encoding="utf-8") as f:
        for line in f:
            line = line.strip()
            if line and not line.startswith("#"):
                name, colon, reason = line.partition(": ")
                if not colon:
                    raise SystemExit("%s: no reason: %r" % (path, line))
                found[name] = reason
    return found


def select(tests, options):
    """The tests that the command line asks for."""
    if options.suite:
        tests = [t for t in tests if t.suite in options.suite]
    if options.words:
        tests = [t for t in tests
                 if any(w in t.name for w in options.words)]
    return tests


def print_result(test, result, options):
    """One line for a test; its output too if it failed."""
    line = "%-4s %-44s %4d passed" % (
        "FAIL" if result.failures else "ok", test.name, result.passed)
    if result.failures:
        line += ", %d failed" % len(result.failures)
    if result.skips:
        line += ", %d skipped" % len(result.skips)
    print("%s  %6.2f s" % (line, result.seconds))
    for name, why in result.skips:
        print("     skipped: %s: %s" % (name, why))
    for name in result.failures:
        print("     failed: %s" % name)
    if result.failures or options.verbose:
        text = result.output
        if len(text) > OUTPUT_BYTES_MAX:
            text = "[start left out]\n" + text[-OUTPUT_BYTES_MAX:]
        for out_line in text.splitlines():
            print("     | %s" % out_line)
    sys.stdout.flush()


def summary(done, excepted, seconds):
    """The closing lines; the exit status."""
    passed = sum(r.passed for _, r in done)
    failed = [(t, f) for t, r in done for f in r.failures]
    skipped = sum(len(r.skips) for _, r in done) + len(excepted)
    if failed:
        print("\nfailed:")
        for test, name in failed:
            print("  %s: %s" % (test.name, name))
    print("\n%d tests in %.1f s" % (len(done), seconds))
    tail = ", %d skipped" % skipped if skipped else ""
    print("%d passed, %d failed%s" % (passed, len(failed), tail))
    sys.stdout.flush()
    return 1 if failed or passed == 0 else 0


def parse(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--src", default=os.path.join(
        os.path.dirname(os.path.abspath(__file__)), ".."))
    parser.add_argument("--build", default=os.getcwd())
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--lua", default="lua5.4")
    parser.add_argument("--suite", action="append", choices=SUITES)
    parser.add_argument("--except", dest="exceptions",
                        help="file of tests not to run, with the reasons")
    parser.add_argument("--sanitized", action="store_true",
                        help="multiply the time limits")
    parser.add_argument("--programs", type=str.split,
                        help="built test programs; default: all found")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("words", nargs="*", metavar="WORD")
    options = parser.parse_args(arguments)
    options.src = os.path.realpath(options.src)
    options.build = os.path.realpath(options.build)
    options.slow = SANITIZER_FACTOR if options.sanitized else 1
    return options


def run_batch(runner, tests, jobs, options):
    """Run tests, jobs at a time; [(test, result)] in their order."""
    done = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = [(t, pool.submit(runner.run, t)) for t in tests]
        try:
            for test, future in futures:
                result = future.result()
                print_result(test, result, options)
                done.append((test, result))
        except BaseException:
            runner.end_all()
            raise
    return done


def run_all(tests, options):
    """Run the tests: first those that share the machine, then the others."""
    runner = Runner(options)
    together = [t for t in tests if not t.alone]
    alone = [t for t in tests if t.alone]
    return (run_batch(runner, together, options.jobs, options)
            + run_batch(runner, alone, 1, options))


def main(arguments):
    """Run what the command line asks for; the exit status."""
    options = parse(arguments)
    tests = select(discover(options), options)
    if options.list:
        for test in tests:
            print("%-12s %s" % (test.suite, test.name))
        return 0
    reasons = read_exceptions(options.exceptions)
    excepted = [t for t in tests if t.name in reasons]
    for test in excepted:
        print("skip %-44s %s" % (test.name, reasons[test.name]))
    start = time.monotonic()
    done = run_all([t for t in tests if t.name not in reasons], options)
    return summary(done, excepted, time.monotonic() - start)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
