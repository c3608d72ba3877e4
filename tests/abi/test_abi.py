"""tests/abi/test_abi.py: the plugin ABI is what spec/abi says it is."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

import tap

SRC = os.environ["LINLI_SRC"]
BUILD = os.environ["LINLI_BUILD"]
SPEC = os.path.join(SRC, "spec", "abi")
INCLUDE = os.path.join(SRC, "sdk", "include")
sys.path.insert(0, os.path.join(SRC, "tests", "abi"))
import accept  # noqa: E402

C_STANDARDS = ("c11", "c17")
CXX_STANDARDS = ("c++11", "c++14", "c++17", "c++20")


def check_accepted(kind):
    now = accept.printed(os.path.join(BUILD, "abi", "layout"), kind)
    level = accept.version(now)[0]
    path = os.path.join(SPEC, "level-%d.%s" % (level, kind))
    with open(path, encoding="utf-8") as f:
        accepted = f.read().splitlines()
    changed = sorted(set(now) ^ set(accepted))
    if now != accepted:
        raise AssertionError(
            "the ABI is not the accepted one (%s); if it is meant, run "
            "`make accept-abi` and commit spec/abi. First change: %s"
            % (os.path.basename(path), (changed or ["the order"])[0]))


def test_layout_is_the_accepted_one():
    check_accepted("layout")


def test_symbols_are_the_accepted_ones():
    check_accepted("symbols")


def compilers(names):
    return [name for name in names if shutil.which(name)]


def compile_alone(compiler, language, standard, header):
    source = "#include <linli/%s>\n#include <linli/%s>\n" % (header, header)
    done = subprocess.run(
        [compiler, "-x", language, "-std=" + standard, "-fsyntax-only",
         "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", INCLUDE, "-"],
        input=source, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise AssertionError("%s -std=%s %s:\n%s"
                             % (compiler, standard, header, done.stdout))


def check_headers(language, names, standards):
    found = compilers(names)
    tap.skip_unless(found, "none of %s is here" % ", ".join(names))
    headers = sorted(os.listdir(os.path.join(INCLUDE, "linli")))
    assert "plugin.h" in headers, headers
    for compiler in found:
        for standard in standards:
            for header in headers:
                compile_alone(compiler, language, standard, header)
    tap.comment("%d headers with %s" % (len(headers), ", ".join(found)))


def test_headers_compile_alone_as_c():
    check_headers("c", ("gcc", "clang"), C_STANDARDS)


def test_headers_compile_alone_as_cxx():
    check_headers("c++", ("g++", "clang++"), CXX_STANDARDS)


def test_structs_hold_fixed_width_only():
    for header in ("types.h", "plugin.h"):
        with open(os.path.join(INCLUDE, "linli", header),
                  encoding="utf-8") as f:
            text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
        for name, body in re.findall(
                r"typedef struct (\w+) \{(.*?)\n\}", text, re.S):
            banned = re.findall(
                r"\b(enum|long|short|int|unsigned|size_t|bool|float)\b|#if",
                body)
            if name != "linli_str":
                tap.equal(banned, [], "%s in struct %s" % (banned, name))


def test_plugin_header_is_short():
    with open(os.path.join(INCLUDE, "linli", "plugin.h"),
              encoding="utf-8") as f:
        lines = f.read().splitlines()
    assert len(lines) <= 700, "%d lines" % len(lines)
    assert max(len(line) for line in lines) <= 80


DRAFT = ["level 1 draft 3", "struct s 8", "  0 4 size uint32_t",
         "  4 4 a uint32_t"]


def changed(draft, *lines):
    return ["level 1 draft %d" % draft] + list(lines)


def test_a_draft_changes_with_its_number():
    refusal = accept.refusal
    tap.equal(refusal(DRAFT, list(DRAFT)), None)
    tap.contains(refusal(DRAFT, changed(3, *DRAFT[1:3])), "LINLI_ABI_DRAFT")
    tap.contains(refusal(DRAFT, changed(2, *DRAFT[1:3])), "LINLI_ABI_DRAFT")
    tap.equal(refusal(DRAFT, changed(4, *DRAFT[1:3])), None)
    tap.equal(refusal(DRAFT, changed(0, *DRAFT[1:])), None)
    tap.contains(refusal(DRAFT, ["level 2 draft 1"]), "level 1")


def test_a_frozen_level_only_grows():
    refusal = accept.refusal
    frozen = changed(0, *DRAFT[1:])
    grown = changed(0, "struct s 16", *DRAFT[2:], "  8 8 b uint64_t",
                    "struct t 4", "  0 4 size uint32_t")
    tap.equal(refusal(frozen, grown), None)
    tap.contains(refusal(frozen, changed(0, *DRAFT[1:3])), "frozen")
    tap.contains(refusal(grown, frozen), "frozen")
    tap.contains(refusal(frozen, changed(
        0, DRAFT[1], DRAFT[2], "  4 4 a int32_t")), "a uint32_t")
    tap.contains(refusal(frozen, changed(1, *DRAFT[1:])), "draft again")


def test_accept_writes_both_files_or_none():
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(BUILD, "abi", "layout")
        tap.equal(accept.accept(program, folder), None)
        tap.equal(sorted(os.listdir(folder)),
                  ["level-1.layout", "level-1.symbols"])
        path = os.path.join(folder, "level-1.symbols")
        with open(path, encoding="utf-8") as f:
            text = f.read()
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("linli_plugin_v1", "linli_plugin_v0"))
        tap.contains(accept.accept(program, folder), "level-1.symbols")
        with open(path, encoding="utf-8") as f:
            assert "linli_plugin_v0" in f.read(), "it was overwritten"


if __name__ == "__main__":
    tap.main()
