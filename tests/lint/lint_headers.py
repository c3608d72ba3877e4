"""tests/lint/lint_headers.py: every header compiles alone, with its guard."""

import concurrent.futures
import os
import re
import shlex
import shutil
import subprocess

import house
import tap

WARNINGS = ["-Wall", "-Wextra", "-Werror", "-pedantic-errors"]


def compile_alone(words, path, what):
    """A finding if `words path` fails, else None."""
    done = subprocess.run(words + [path], cwd=house.SRC, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode == 0:
        return None
    return "%s does not compile alone as %s:\n%s" % (path, what, done.stdout)


def all_alone(words, paths, what):
    """Compile each path by itself; fail with all that do not."""
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda p: compile_alone(words, p, what),
                              paths))
    house.report([f for f in found if f])


def flags(*names):
    """Words of config.mk variables."""
    config = house.config()
    return [w for n in names for w in shlex.split(config[n])]


def test_runtime_headers():
    words = flags("CC", "CPPFLAGS", "UV_CFLAGS", "CRYPTO_CFLAGS",
                  "PCRE2_CFLAGS", "LLHTTP_CFLAGS", "LUA_CFLAGS",
                  "FFI_CFLAGS", "SECCOMP_CFLAGS")
    all_alone(words + ["-std=gnu11", "-fsyntax-only", "-D_GNU_SOURCE",
                       "-Wall", "-Wextra", "-Werror",
                       "-Wno-unused-function", "-Iruntime",
                       "-Isdk/include",
                       "-I" + os.path.join(house.BUILD, "gen"),
                       "-x", "c"],
              house.files("runtime/*.h"), "C11")


def test_sdk_headers_c():
    words = flags("CC")
    for standard in ("c11", "c17"):
        all_alone(words + ["-std=" + standard, "-fsyntax-only",
                           "-Isdk/include", "-x", "c"] + WARNINGS,
                  house.files("sdk/include/*.h"), standard)


def test_sdk_headers_cxx():
    tool = next((t for t in ("c++", "g++", "clang++") if shutil.which(t)),
                None)
    tap.skip_unless(tool, "no C++ compiler here: apt-get install g++")
    for standard in ("c++11", "c++20"):
        all_alone([tool, "-std=" + standard, "-fsyntax-only",
                   "-Isdk/include", "-x", "c++"] + WARNINGS,
                  house.files("sdk/include/*.h"), standard)


def test_guards():
    """LL_LAYER_NAME_H, LINLI_NAME_H: a guard that names its file."""
    found = []
    for path in house.files("runtime/*.h", "sdk/include/*.h"):
        name = re.sub(r"^(runtime|sdk/include)/", "", path)
        want = re.sub(r"\W", "_", name).upper()
        if not path.startswith("sdk"):
            want = "LL_" + want
        text = house.read(path)
        if "\n#ifndef %s\n#define %s\n" % (want, want) not in text:
            found.append("%s: no guard %s" % (path, want))
    house.report(found)


if __name__ == "__main__":
    tap.main()
