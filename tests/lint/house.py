"""tests/lint/house.py: what the lints share: the files, and C as text.

The C reading here is a scanner, not a parser: it leans on the layout that
clang-format gives this tree (a function's braces stand in column 0).
"""

import fnmatch
import functools
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402 (the path is set above)

SRC = tap.source_folder()
BUILD = tap.build_folder()


@functools.lru_cache(maxsize=None)
def read(path):
    """The text of a file of the source tree."""
    with open(os.path.join(SRC, path), encoding="utf-8") as f:
        return f.read()


def _ignored():
    """Matchers of .gitignore: (pattern, only at the top, only folders)."""
    rules = []
    for line in read(".gitignore").splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            rules.append((line.strip("/"), line.startswith("/"),
                          line.endswith("/")))
    return rules


def _is_ignored(rules, path, is_folder):
    for pattern, top, folder_only in rules:
        if folder_only and not is_folder:
            continue
        name = path if top else os.path.basename(path)
        if fnmatch.fnmatch(name, pattern):
            return True
    return False


@functools.lru_cache(maxsize=None)
def tree():
    """(folders, files): all of the source tree, relative, build left out."""
    rules, folders, files = _ignored(), [], []
    for where, below, names in os.walk(SRC):
        base = os.path.relpath(where, SRC)
        base = "" if base == "." else base + "/"
        below[:] = sorted(b for b in below if b != ".git"
                          and not _is_ignored(rules, base + b, True))
        folders += [base + b for b in below]
        files += [base + n for n in names if n != ".git"
                  and not _is_ignored(rules, base + n, False)]
    return sorted(folders), sorted(files)


def files(*patterns):
    """Files of the source tree by glob on the whole path."""
    return [f for f in tree()[1]
            if any(fnmatch.fnmatch(f, p) for p in patterns)]


def c_files(*folders):
    """The .c and .h files below folders (all of the tree if none)."""
    return [f for f in files("*.c", "*.h")
            if not folders or f.split("/")[0] in folders]


def config():
    """config.mk of the build folder as a dict, unexpanded."""
    found = {}
    with open(os.path.join(BUILD, "config.mk"), encoding="utf-8") as f:
        for line in f:
            name, equals, value = line.rstrip("\n").partition(" = ")
            if equals:
                found[name] = value
    return found


def make_list(path, name):
    """The words of a list variable in a makefile of the tree."""
    text = read(path).replace("\\\n", " ")
    found = re.search(r"^%s\s*[:+]?=(.*)$" % re.escape(name), text, re.M)
    return found.group(1).split() if found else []


TOKEN = re.compile(r"""
    (?P<comment> /\*.*?\*/ | //[^\n]* )
  | (?P<string> "(?:\\.|[^"\\\n])*" )
  | (?P<char> '(?:\\.|[^'\\\n])+' )
""", re.X | re.S)


def _blank(text):
    """Spaces for everything but line breaks."""
    return re.sub(r"[^\n]", " ", text)


def without_comments(text):
    """C text with comments blanked; lines and columns stay."""
    return TOKEN.sub(lambda m: _blank(m.group()) if m.group("comment")
                     else m.group(), text)


@functools.lru_cache(maxsize=None)
def code_only(text):
    """C text with comments blanked and literals emptied."""
    def replace(m):
        if m.group("comment"):
            return _blank(m.group())
        inside = m.group()
        return inside[0] + "_" * (len(inside) - 2) + inside[-1]
    return TOKEN.sub(replace, text)


def strings(text):
    """(line, content, position) of each string literal of C text."""
    found = []
    for m in TOKEN.finditer(text):
        if m.group("string"):
            found.append((text.count("\n", 0, m.start()) + 1,
                          m.group()[1:-1], m.start()))
    return found


def callee(code, at):
    """The name of the call in whose arguments position `at` stands, or ""."""
    depth = 0
    for i in range(at - 1, -1, -1):
        if code[i] == ")":
            depth += 1
        elif code[i] == "(" and depth > 0:
            depth -= 1
        elif code[i] == "(":
            found = re.search(r"(\w+)\s*$", code[:i])
            return found.group(1) if found else ""
        elif code[i] in ";{}" and depth == 0:
            return ""
    return ""


def arguments(text):
    """The number of top-level arguments in "a, b(c, d)"; 0 for void."""
    if text.strip() in ("", "void"):
        return 0
    depth = count = 0
    for c in text:
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        elif c == "," and depth == 0:
            count += 1
    return count + 1


def call_arguments(code, opening):
    """The text between the parenthesis at `opening` and its partner."""
    depth = 0
    for i in range(opening, len(code)):
        if code[i] == "(":
            depth += 1
        elif code[i] == ")":
            depth -= 1
            if depth == 0:
                return code[opening + 1:i]
    return code[opening + 1:]


class Function:
    """A definition: name, first and last line, arguments, deepest nesting."""

    def __init__(self, name, first, last, count, nesting):
        self.name, self.first, self.last = name, first, last
        self.count, self.nesting = count, nesting

    @property
    def lines(self):
        """Lines from the name to the closing brace."""
        return self.last - self.first + 1


NAME_LINE = re.compile(r"^([A-Za-z_]\w*)\(", re.M)


def _nesting(lines):
    """The deepest indentation of control words below the body's level."""
    deepest = 0
    for line in lines:
        found = re.match(r"( +)(?:if|for|while|do|switch)\b", line)
        if found:
            deepest = max(deepest, (len(found.group(1)) - 4) // 4 + 1)
    return deepest


def functions(text):
    """The function definitions of C text."""
    code = code_only(text)
    lines = code.split("\n")
    found = []
    for opening in [i for i, line in enumerate(lines) if line == "{"]:
        first = opening
        while first > 0 and lines[first - 1].strip() \
                and not lines[first - 1].startswith(("}", "#")) \
                and not lines[first - 1].endswith(";"):
            first -= 1
        head = "\n".join(lines[first:opening])
        name = NAME_LINE.search(head)
        if not name:
            continue
        last = next((i for i in range(opening, len(lines))
                     if lines[i].startswith("}")), len(lines) - 1)
        start = first + head.count("\n", 0, name.start())
        found.append(Function(
            name.group(1), start + 1, last + 1,
            arguments(re.sub(r", struct ll_err \*err$", "", " ".join(
                call_arguments(head, name.end() - 1).split()))),
            _nesting(lines[opening + 1:last])))
    return found


def report(findings):
    """Fail with all findings, one a line, unless there are none."""
    if findings:
        raise tap.Findings("%d finding(s):\n%s"
                           % (len(findings), "\n".join(findings)))
