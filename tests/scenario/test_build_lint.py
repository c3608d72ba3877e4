#!/usr/bin/env python3
"""tests/scenario/test_build_lint.py: the lints find what they are for.

A lint that can no longer fail looks exactly like a clean tree.
"""

import atexit
import contextlib
import os
import shutil
import sys
import tempfile

import linli_test
import tap

SRC = tap.source_folder()
FILE = """/* base/x.c: something. */
#include "base/x.h"

%s
"""


class Tree:
    """One copy of this tree; each case changes it and puts it back."""

    folder = None

    @classmethod
    def make(cls):
        """The copy, made at the first use; vectors and corpora left out."""
        if cls.folder is None:
            holder = tempfile.TemporaryDirectory(prefix="linli-test-")
            atexit.register(holder.cleanup)
            cls.folder = holder.name
            for name in os.listdir(SRC):
                if name in (".gitignore", "README.md"):
                    shutil.copy(os.path.join(SRC, name), cls.folder)
            for name in (".ci", "spec", "runtime", "sdk", "tests"):
                shutil.copytree(
                    os.path.join(SRC, name), os.path.join(cls.folder, name),
                    ignore=shutil.ignore_patterns("vectors", "corpus"))
        return cls.folder


@contextlib.contextmanager
def changed(changes):
    """The tree with files replaced or added, for a while."""
    folder, before = Tree.make(), {}
    for name, content in changes.items():
        path = os.path.join(folder, name)
        before[path] = None
        if os.path.exists(path):
            with open(path, "rb") as f:
                before[path] = f.read()
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(content)
    try:
        yield folder
    finally:
        for path, content in before.items():
            os.unlink(path)
            if content is not None:
                with open(path, "wb") as f:
                    f.write(content)


def findings(lint, case, changes):
    """What one case of a lint says of this tree with files replaced."""
    with changed(changes) as folder:
        env = dict(os.environ, LINLI_SRC=folder)
        return linli_test.run([sys.executable, "-B", os.path.join(
            SRC, "tests", "lint", lint + ".py"), case], env=env,
            cwd=tap.build_folder())


def finds(lint, case, changes, *parts):
    """The case fails, and names each part."""
    done = findings(lint, case, changes)
    assert done.code == 1 and "\nnot ok 1 - " in "\n" + done.out, \
        "%s %s found nothing: %r" % (lint, case, done)
    for part in parts:
        tap.contains(done.out, part, case)


def with_text(path, old, new):
    """A file of the tree with one piece of text replaced."""
    with open(os.path.join(SRC, path), encoding="utf-8") as f:
        content = f.read()
    assert old in content, "%s has no %r" % (path, old)
    return {path: content.replace(old, new, 1)}


def test_layers():
    wrong = {"runtime/base/x.c": "wire/ring.h",
             "runtime/wire/x.c": "world/world.h",
             "runtime/world/x.c": "wire/ring.h",
             "runtime/worker/x.c": "world/world.h",
             "runtime/plugin/x.c": "host/request.h",
             "runtime/host/x.c": "server/http_parse.h",
             "runtime/server/x.c": "cmd/x.h",
             "runtime/cmd/x.c": "worker/worker.h"}
    finds("lint_layers", "test_layers",
          {path: '#include "%s"\n' % name for path, name in wrong.items()},
          *["%s:1: %s may not include %s" % (path, path.split("/")[1], name)
            for path, name in wrong.items()])


def test_outside_and_foreign():
    finds("lint_layers", "test_outside_of_the_runtime",
          {"plugins/p/x.c": '#include "base/mem.h"\n'}, "plugins/p/x.c:1")
    finds("lint_layers", "test_plugin_authors",
          {"plugins/p/x.c": "#include <linli/host.h>\n"}, "plugins/p/x.c")
    finds("lint_layers", "test_foreign",
          {"runtime/host/x.c": "#include <uv.h>\n"}, "uv.h belongs to")
    finds("lint_layers", "test_foreign",
          {"runtime/host/x.c": "#include <lua.h>\n"}, "lua.h belongs to")


def test_linlid():
    finds("lint_layers", "test_linlid",
          {"runtime/cmd/files.mk": "linlid_SRCS = linlid.c\n",
           "runtime/cmd/linlid.c": '#include "base/mem.h"\n'},
          "linlid may not include base/mem.h")


def test_functions():
    long = "static void\nf(void)\n{\n" + "    g();\n" * 70 + "}\n"
    finds("lint_style", "test_functions", {"runtime/base/x.c": FILE % long},
          "f has 73 lines")
    finds("lint_style", "test_functions", {"runtime/base/x.c": FILE % (
        "void\nf(int a, int b, int c,\n    int d, int e, int g)\n{\n}\n")},
        "f takes 6 arguments")
    deep = "void\nf(void)\n{\n"
    for depth in range(1, 5):
        deep += "    " * depth + "if (x)\n"
    finds("lint_style", "test_functions",
          {"runtime/base/x.c": FILE % (deep + "}\n")}, "nests 4 deep")


def test_banned():
    names = ("strcpy", "sprintf", "malloc", "time", "getenv", "uv_run",
             "lua_newstate", "system")
    body = "\n".join("    x = %s(a);" % name for name in names)
    finds("lint_style", "test_banned", {"runtime/host/x.c": FILE % body},
          *["x.c:%d: %s is banned here" % (number, name)
            for number, name in enumerate(names, 4)])
    quiet = FILE % '/* time(0) */ const char *s = "malloc(3)";\nint a.time(1);'
    done = findings("lint_style", "test_banned",
                    {"runtime/host/x.c": quiet})
    assert "runtime/host/x.c" not in done.out, done.out


def test_comments():
    head = "/* base/x.h: x. */\n#ifndef LL_BASE_X_H\n#define LL_BASE_X_H\n"
    finds("lint_style", "test_prototypes",
          {"runtime/base/x.h": head + "\nint ll_x(\n    int a);\n\n#endif\n"},
          "ll_x has no comment")
    finds("lint_style", "test_file_heads",
          {"runtime/base/x.h": "int x;\n"}, "does not begin with")
    finds("lint_style", "test_no_unfinished",
          {"runtime/base/x.c": FILE % ("/* TO" + "DO later */")}, "x.c:4")


def test_layout():
    finds("lint_style", "test_columns",
          {"runtime/base/x.c": "x" * 81 + "\n"}, "81 columns")
    finds("lint_style", "test_columns",
          {"runtime/base/x.c": "int x; \n"}, "white space")
    finds("lint_style", "test_file_length",
          {"runtime/base/x.c": "\n" * 901}, "901 lines")


def test_documents():
    finds("lint_house", "test_readme_tree",
          {"runtime/attic/x.c": ""}, "does not draw runtime/attic/")
    finds("lint_house", "test_every_source", {"runtime/base/x.c": ""},
          "runtime/base/x.c is in no list")
    finds("lint_house", "test_no_path_of_a_machine",
          {"runtime/base/x.c": "/* /ho" + "me/somebody/linli/x */"}, "x.c:1")
    finds("lint_house", "test_problem_codes_exist",
          {"runtime/base/x.c": 'f("request/no-such-code");\n'},
          '"request/no-such-code" is not in problem.def')
    finds("lint_house", "test_spec_limits", with_text(
        "runtime/base/limits.h", "#define LL_ROUTES_MAX 256",
        "#define LL_ROUTES_MAX 257"), "spec/limits.md is old")
    finds("lint_house", "test_limits_are_used", with_text(
        "runtime/base/limits.h", "/* -- wire -- */",
        "/* -- wire -- */\n#define LL_NOBODY_MAX 3"), "LL_NOBODY_MAX")
    finds("lint_house", "test_links",
          {"spec/x.md": "[a](nowhere.md)\n"}, "no nowhere.md")
    finds("lint_house", "test_spec_index", {"spec/x.md": ""}, "x.md")


def test_headers():
    finds("lint_headers", "test_runtime_headers",
          {"runtime/base/x.h": "struct ll_mem_not_included a;\n"}, "x.h")
    finds("lint_headers", "test_guards",
          {"runtime/base/x.h": "#ifndef X\n#define X\n#endif\n"},
          "no guard LL_BASE_X_H")


if __name__ == "__main__":
    tap.main()
