"""tests/lint/lint_binaries.py: what was built links and exports what it may.
"""

import os
import re
import subprocess

import house
import tap

# Libraries that only linli-worker may need: plugin code runs there.
WORKER_ONLY = re.compile(r"lib(lua|ffi|seccomp)\b", re.I)


def built(name):
    """The path of a built file; the case is skipped if it was not built."""
    path = os.path.join(house.BUILD, name)
    tap.skip_unless(os.path.exists(path), "%s is not built" % name)
    return path


def output(*words):
    """stdout of a command that must succeed."""
    return subprocess.run(words, stdout=subprocess.PIPE, text=True,
                          errors="replace", check=True).stdout


def needed(name):
    """The NEEDED libraries of a built file."""
    return re.findall(r"\(NEEDED\).*\[(.*?)\]",
                      output("readelf", "-d", built(name)))


def sanitized():
    """Whether this is a build with sanitizers, which link and export."""
    return bool(house.config().get("sanitize"))


def test_linlid_links_no_interpreter():
    bad = [n for n in needed("linlid") if WORKER_ONLY.match(n)]
    tap.equal(bad, [], "libraries of linlid")


def test_liblinli_links_no_interpreter():
    bad = [n for n in needed("liblinli.so") if WORKER_ONLY.match(n)]
    tap.equal(bad, [], "libraries of liblinli.so")


def test_liblinli_a_refers_to_no_interpreter():
    said = output("nm", "-u", built("liblinli.a"))
    bad = sorted(set(re.findall(r"\b(lua_\w+|luaL_\w+|ffi_\w+)\b", said)))
    tap.equal(bad, [], "symbols that liblinli.a wants")


def test_worker_links_no_network():
    """No libuv, no libcurl: the worker has one door, its rings."""
    bad = [n for n in needed("linli-worker")
           if re.match(r"lib(uv|curl|ssl)\b", n)]
    tap.equal(bad, [], "libraries of linli-worker")


def test_auditor_needs_nothing():
    """linli-audit is one file: no interpreter of ELF, no library."""
    tap.skip_unless(not sanitized(), "sanitizers need their libraries")
    tap.equal(needed("linli-audit"), [], "libraries of linli-audit")
    said = subprocess.run(["ldd", built("linli-audit")], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False).stdout
    assert "not a dynamic executable" in said, said
    assert "INTERP" not in output("readelf", "-lW", built("linli-audit"))


def test_exports():
    """liblinli.so exports linli_* and nothing else, and not nothing."""
    tap.skip_unless(not sanitized(), "sanitizers export symbols of theirs")
    said = output("nm", "-D", "--defined-only", built("liblinli.so"))
    names = [line.split()[-1].split("@")[0] for line in said.splitlines()]
    names = [n for n in names if not n.startswith("LINLI_")]  # versions
    bad = [n for n in names if not n.startswith("linli_")]
    tap.equal(bad, [], "exported besides linli_*")
    assert names, "liblinli.so exports nothing"


def test_exports_are_declared():
    """What is exported stands in a public header."""
    tap.skip_unless(not sanitized(), "sanitizers export symbols of theirs")
    said = output("nm", "-D", "--defined-only", built("liblinli.so"))
    names = set(re.findall(r"\b(linli_\w+)", said))
    declared = "\n".join(house.code_only(house.read(f))
                         for f in house.files("sdk/include/*.h"))
    tap.equal(sorted(n for n in names
                     if not re.search(r"\b%s\b" % n, declared)), [],
              "exported and in no header")


def test_hardening():
    """Position independent, RELRO with BIND_NOW, no executable stack."""
    found = []
    for name in ("linlid", "linli", "linli-worker"):
        path = built(name)
        header = output("readelf", "-hlW", path)
        dynamic = output("readelf", "-d", path)
        if not re.search(r"Type:\s+DYN", header):
            found.append(name + " is not position independent")
        if "GNU_RELRO" not in header:
            found.append(name + " has no RELRO")
        if "BIND_NOW" not in dynamic and "NOW" not in dynamic:
            found.append(name + " binds lazily")
        if re.search(r"GNU_STACK.*RWE", header):
            found.append(name + " has an executable stack")
    house.report(found)


def test_no_path_in_outputs():
    """No program names the folder it was built in (debug data aside)."""
    tap.skip_unless(not sanitized(), "sanitizers record where code stood")
    found = []
    for name in ("linlid", "linli", "linli-worker", "liblinli.so"):
        path = built(name)
        for section in (".rodata", ".data.rel.ro", ".data"):
            said = output("readelf", "-p", section, path)
            if house.SRC + "/" in said or house.BUILD + "/" in said:
                found.append("%s names its build folder in %s"
                             % (name, section))
    house.report(found)


if __name__ == "__main__":
    tap.main()
