"""tests/lint/lint_house.py: the tree is what its documents say it is."""

import ast
import collections
import os
import re

import house
import limits
import tap

TREE_DEPTH = 2  # folders deeper than this belong to their own README

# Folders that many machines share: a path below one names no machine.
COMMON = ("/", "/tmp", "/usr", "/usr/src", "/usr/local", "/opt", "/srv",
          "/var", "/var/tmp", "/var/lib", "/home", "/root", "/mnt", "/build")


def readme_tree():
    """{path: description} from the tree that README.md draws."""
    found = re.search(r"<!-- tree -->\n```\w*\n(.*?)```",
                      house.read("README.md"), re.S)
    assert found, "README.md has no block after <!-- tree -->"
    drawn, above = {}, ""
    for line in found.group(1).splitlines():
        entry = re.match(r"( *)(\S+) +(\S.*)", line)
        assert entry, "not 'name description': %r" % line
        indent, name, text = entry.groups()
        if not indent:
            above = name
            drawn[name] = text
        else:
            drawn[above + name] = text
    return drawn


def test_readme_tree_is_the_real_tree():
    folders, files = house.tree()
    real = {f + "/" for f in folders if f.count("/") < TREE_DEPTH}
    real |= {f for f in files if "/" not in f}
    drawn = set(readme_tree())
    house.report(["README.md draws %s, which is not there" % p
                  for p in sorted(drawn - real)]
                 + ["README.md does not draw %s" % p
                    for p in sorted(real - drawn)])


def test_every_source_is_listed():
    """A .c file that no list names is not built, so it rots."""
    listed = set()
    layers = {f.split("/")[1] for f in house.files("runtime/*/files.mk")}
    for layer in layers:
        path = "runtime/%s/files.mk" % layer
        names = ["linlid", "linli", "linli-worker", "linli-audit"] if layer == "cmd" \
            else [layer]
        for name in names:
            listed |= {"runtime/%s/%s" % (layer, c)
                       for c in house.make_list(path, name + "_SRCS")}
    for kind in ("unit", "conform", "bench"):
        listed |= {"tests/%s/%s" % (kind, c) for c
                   in house.make_list("tests/files.mk", kind + "_SRCS")}
    real = set(house.files("runtime/*.c", "tests/unit/*.c",
                           "tests/conform/*.c", "tests/bench/*.c"))
    # Helpers of tests stand in the rules of a fragment.
    fragments = "\n".join(house.read(f) for f in house.files("tests/*.mk"))
    listed |= {c for c in real if c.startswith("tests/")
               and re.search(r"[/ ]%s\b" % re.escape(os.path.basename(c)),
                             fragments)}
    house.report(["%s is in no list: add it to files.mk" % c
                  for c in sorted(real - listed)]
                 + ["%s is listed and not there" % c
                    for c in sorted(listed - real)])


def test_lists_are_sorted():
    found = []
    for path in house.files("runtime/*/files.mk", "tests/files.mk"):
        names = re.findall(r"^([\w-]+_SRCS)\s*=", house.read(path), re.M)
        for name in names:
            words = [w for w in house.make_list(path, name)
                     if w.endswith(".c")]
            if words != sorted(set(words)):
                found.append("%s: %s is not sorted" % (path, name))
            if names.count(name) > 1:
                found.append("%s: %s is set twice; the last would win"
                             % (path, name))
    house.report(found)


def test_no_path_of_a_machine():
    """Neither this tree's place nor anybody's home stands in a file."""
    words = [house.SRC + "/", house.BUILD + "/"]
    for path in (os.path.dirname(house.SRC), os.path.expanduser("~")):
        if path not in COMMON:
            words.append(path + "/")
    words = sorted({w for w in words if w.rstrip("/") not in COMMON})
    homes = re.compile(r"(?<![\w.])/(home|Users)/[a-z]\w*/")
    found = []
    for path in house.tree()[1]:
        try:
            text = house.read(path)
        except UnicodeDecodeError:
            continue  # a corpus or a picture
        for number, line in enumerate(text.split("\n"), 1):
            if any(w in line for w in words) or homes.search(line):
                found.append("%s:%d: %s" % (path, number,
                                            line.strip()[:80]))
    house.report(found)


def problem_codes():
    """The codes of problem.def, in its order."""
    return re.findall(r'^P\("([^"]+)"', house.read(
        "runtime/base/problem.def"), re.M)


def test_problem_codes_exist():
    """A code that the table lacks has no title, no fix and no status.

    Codes of log lines that report no failure need no row.
    """
    known = set(problem_codes())
    groups = {c.split("/")[0] for c in known if "/" in c}
    found = []
    for path in house.files("runtime/*.c", "runtime/*.h"):
        content = house.read(path)
        for line, text, at in house.strings(content):
            if re.fullmatch(r"[a-z]+/[a-z]+(-[a-z]+)*", text) \
                    and text.split("/")[0] in groups and text not in known \
                    and "log_" not in house.callee(content, at) \
                    and not content[:at].endswith(".code = "):
                found.append('%s:%d: "%s" is not in problem.def'
                             % (path, line, text))
    house.report(found)


def test_problem_codes_are_unique():
    codes = problem_codes()
    twice = sorted({c for c in codes if codes.count(c) > 1})
    tap.equal(twice, [], "codes that stand twice")


def test_spec_limits():
    """spec/limits.md is what limits.py makes of base/limits.h."""
    if house.read("spec/limits.md") != limits.page():
        raise AssertionError("spec/limits.md is old: python3 "
                             "tests/lint/limits.py >spec/limits.md")


def test_limits_are_used():
    """A bound that no code reads bounds nothing."""
    uses = collections.Counter(
        name for f in house.c_files("runtime")
        for name in re.findall(r"\bLL_\w+",
                               house.without_comments(house.read(f))))
    house.report(["%s is not used" % name
                  for _, name, _, _ in limits.limits() if uses[name] < 2])


def test_links_of_documents():
    """A relative link of a .md file leads to a file of the tree."""
    found = []
    for path in house.files("*.md"):
        text = re.sub(r"```.*?```", "", house.read(path), flags=re.S)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            there = os.path.normpath(os.path.join(
                house.SRC, os.path.dirname(path), target))
            if not os.path.exists(there):
                found.append("%s: no %s" % (path, target))
    house.report(found)


def test_spec_index():
    """spec/README.md names every page of spec/."""
    text = house.read("spec/README.md")
    pages = {f.split("/")[1] for f in house.files("spec/*")}
    house.report(["spec/README.md does not name %s" % p
                  for p in sorted(pages - {"README.md"})
                  if "(%s)" % p not in text and "(%s/)" % p not in text])


def test_scripts_are_python():
    for path in house.files("*.py"):
        ast.parse(house.read(path), path)


def test_readme_commands():
    """The two commands that newcomers paste; .ci/run is not to skip a test."""
    readme = house.read("README.md")
    for command in ("./configure --install-deps && make demo",
                    "./configure --install-deps && make check"):
        assert "\n%s\n" % command in readme, "README.md lacks: " + command
    tap.contains(house.read(".ci/run"),
                 "\n./configure --install-deps && make check\n", ".ci/run")


if __name__ == "__main__":
    tap.main()
