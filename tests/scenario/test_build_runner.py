#!/usr/bin/env python3
"""tests/scenario/test_build_runner.py: tests/run.py itself; a runner that
passes what failed would hide everything else."""

import os
import re
import sys
import time

import linli_test
import tap

RUNNER = os.path.join(tap.source_folder(), "tests", "run.py")


def run(tests, *words):
    """Run the runner over a made-up tree of scenarios {name: body}."""
    with linli_test.temporary_folder() as folder:
        where = os.path.join(folder, "tests", "scenario")
        os.makedirs(where)
        for name, body in tests.items():
            with open(os.path.join(where, "test_%s.py" % name), "w",
                      encoding="utf-8") as f:
                f.write(body)
        for word in words:
            if word.startswith("except="):
                with open(os.path.join(folder, "except"), "w",
                          encoding="utf-8") as f:
                    f.write(word[len("except="):])
        more = [w for w in words if not w.startswith("except=")]
        if len(more) != len(words):
            more += ["--except", os.path.join(folder, "except")]
        return linli_test.run([sys.executable, "-B", RUNNER, "--src", folder,
                               "--build", folder] + more)


def closing(done):
    """The last line."""
    return done.out.rstrip("\n").split("\n")[-1]


def check(body, line, code, *parts):
    """One test with this body closes the run with line and code."""
    done = run({"x": body})
    tap.equal(closing(done), line, "last line of %r" % body)
    tap.equal(done.code, code, "exit status of %r" % body)
    for part in parts:
        tap.contains(done.out, part)


def test_passes():
    check("print('ok 1 - a\\nok 2 - b\\n1..2')", "2 passed, 0 failed", 0)
    check("print('1..1\\nok')", "1 passed, 0 failed", 0)


def test_a_failing_case():
    check("print('ok 1 - a\\nnot ok 2 - b # why\\n1..2')",
          "1 passed, 1 failed", 1, "failed: b # why", "| not ok 2 - b")


def test_no_tap_is_a_failure():
    check("pass", "0 passed, 1 failed", 1, "printed no TAP")
    check("print('hello')", "0 passed, 1 failed", 1, "printed no TAP")


def test_a_broken_plan_is_a_failure():
    check("print('1..3\\nok 1\\nok 2')", "2 passed, 1 failed", 1,
          "planned 3 cases, ran 2")
    check("print('ok 1')", "1 passed, 1 failed", 1, "ended early")
    check("print('1..1\\nok 1\\n1..1')", "1 passed, 1 failed", 1, "two plans")


def test_the_exit_status_counts():
    check("print('ok 1\\n1..1')\nraise SystemExit(3)", "1 passed, 1 failed",
          1, "exit status 3")


def test_a_signal_is_named():
    check("import os\nprint('ok 1\\n1..1', flush=True)\n"
          "os.kill(os.getpid(), 11)", "1 passed, 1 failed", 1,
          "died of signal 11 (SIGSEGV)")


def test_skips_are_seen():
    check("print('ok 1 - a # SKIP no nginx here\\nok 2\\n1..2')",
          "1 passed, 0 failed, 1 skipped", 0, "skipped: a: no nginx here")
    check("print('1..0 # SKIP nothing to do')",
          "0 passed, 0 failed, 1 skipped", 1, "skipped: all: nothing to do")


def test_time_limit():
    """A hung test ends at its limit, with all that it started."""
    body = ("# test-timeout-s: 1\n"
            "import subprocess, time\n"
            "child = subprocess.Popen(['sleep', '77777'])\n"
            "print('# child', child.pid, flush=True)\n"
            "time.sleep(77777)\n")
    start = time.monotonic()
    done = run({"x": body})
    assert time.monotonic() - start < 20, "the limit was not kept"
    tap.equal(closing(done), "0 passed, 1 failed", "last line")
    tap.contains(done.out, "passed its time limit of 1 s")
    child = int(re.search(r"# child (\d+)", done.out).group(1))
    assert linli_test.wait_until(
        lambda: linli_test.processes().get(child, (0, 0, "Z"))[2] == "Z"), \
        "the child lives"


def test_nothing_found_is_a_failure():
    done = run({})
    tap.equal(closing(done), "0 passed, 0 failed", "last line")
    tap.equal(done.code, 1, "exit status")


def test_selection_and_exceptions():
    body = "print('ok 1\\n1..1')"
    tests = {"one": body, "two": body}
    tap.equal(closing(run(tests, "two")), "1 passed, 0 failed", "by word")
    done = run(tests, "except=tests/scenario/test_one.py: cannot here\n")
    tap.equal(closing(done), "1 passed, 0 failed, 1 skipped", "excepted")
    tap.contains(done.out, "cannot here")
    done = run(tests, "except=tests/scenario/test_one.py\n")
    assert done.code != 0, "an exception without a reason was taken"


def test_alone_runs_after_the_others():
    slow = "import time\ntime.sleep(1)\nprint('ok 1\\n1..1')"
    done = run({"a": "# test-alone: yes\n" + slow, "b": slow, "c": slow})
    names = re.findall(r"^ok +tests/scenario/test_(\w)", done.out, re.M)
    tap.equal(names, ["b", "c", "a"], "order")


if __name__ == "__main__":
    tap.main()
