"""tests/lib/tap.py: a test file in a few words.

A file names its cases test_*; the last lines are

    if __name__ == "__main__":
        tap.main()

Each case prints one TAP line and its seconds; a case that raises fails, its
traceback follows as comment lines, and the other cases still run. `skip(why)`
ends a case as skipped; the reason is printed. Words on the command line
select the cases whose names contain one of them.
"""

import os
import sys
import time
import traceback

sys.dont_write_bytecode = True  # the source tree may be read-only


class Skip(Exception):
    """Raised by skip(): the case could not run here, and says why."""


class Findings(Exception):
    """Raised for a list of findings that needs no traceback."""


def skip(why):
    """End the running case as skipped, with its reason."""
    raise Skip(why)


def skip_unless(condition, why):
    """Go on if the condition holds, else end the case as skipped."""
    if not condition:
        raise Skip(why)


def equal(got, want, what="value"):
    """Fail with both values unless got == want."""
    if got != want:
        raise AssertionError("%s: got %r, want %r" % (what, got, want))


def contains(text, part, what="text"):
    """Fail with the whole text unless it contains part."""
    if part not in text:
        raise AssertionError("%s lacks %r: %r" % (what, part, text))


def comment(text):
    """Print text as TAP comment lines."""
    for line in str(text).splitlines():
        print("# " + line)


def _cases(module, words):
    """The test_* functions of a module in the order they are written."""
    found = [(value.__code__.co_firstlineno, name, value)
             for name, value in vars(module).items()
             if name.startswith("test_") and callable(value)]
    return [(name, value) for _, name, value in sorted(found)
            if not words or any(w in name for w in words)]


def _run(number, name, body):
    """Run one case; print its line; True unless it failed."""
    start = time.monotonic()
    verdict, note = "ok", ""
    try:
        body()
    except Skip as why:
        note = " # SKIP %s" % why
    except Findings as found:
        verdict = "not ok"
        comment(found)
    except Exception:  # a failed check of any kind fails this case only
        verdict = "not ok"
        comment(traceback.format_exc())
    seconds = time.monotonic() - start
    print("%s %d - %s%s" % (verdict, number, name, note))
    comment("%.2f s" % seconds)
    sys.stdout.flush()
    return verdict == "ok"


def main():
    """Run the calling program's cases as one TAP program, then exit."""
    cases = _cases(sys.modules["__main__"], sys.argv[1:])
    failed = sum([not _run(i, name, body)
                  for i, (name, body) in enumerate(cases, 1)])
    print("1..%d" % len(cases))
    sys.stdout.flush()
    sys.exit(1 if failed or not cases else 0)


def source_folder():
    """The source tree, absolute: run.py says where, else from this file."""
    here = os.path.dirname(os.path.abspath(__file__))
    return os.path.abspath(os.environ.get("LINLI_SRC")
                           or os.path.join(here, "..", ".."))


def build_folder():
    """The build folder, absolute: run.py says where, else the current one."""
    return os.path.abspath(os.environ.get("LINLI_BUILD") or os.getcwd())
