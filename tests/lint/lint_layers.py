"""tests/lint/lint_layers.py: who may include whom.

sdk -> base -> domain | world | wire -> store -> data -> consent -> billing ->
plugin -> host -> server -> cmd; worker stands on base and wire. Siblings never
include each other, the SDK, plugins and examples never include the runtime,
linlid.c knows the public host.h only, and each foreign library has its own
place.
"""

import os
import re

import house
import tap

BELOW_STORE = ["base", "domain", "world", "wire"]
MAY = {
    "base": ["base"],
    "domain": ["base", "domain"],
    "world": ["base", "world"],
    "wire": ["base", "wire"],
    "store": BELOW_STORE + ["store"],
    "data": BELOW_STORE + ["store", "data"],
    "consent": BELOW_STORE + ["store", "data", "consent"],
    "billing": BELOW_STORE + ["store", "data", "consent", "billing"],
    "plugin": BELOW_STORE + ["store", "data", "consent", "billing", "plugin"],
    "host": BELOW_STORE + ["store", "data", "consent", "billing", "plugin",
                           "host"],
    "server": BELOW_STORE + ["store", "data", "consent", "billing", "plugin",
                             "host", "server"],
    "worker": ["base", "wire", "worker"],
}
LAYERS = sorted(MAY) + ["cmd"]

# Headers of foreign libraries, and the only files that may include them.
FOREIGN = {
    r"uv\.h": ["runtime/world/"],
    r"llhttp\.h": ["runtime/server/"],
    r"curl/.*": ["runtime/world/", "runtime/cmd/"],
    r"(lua|lauxlib|lualib)\.h": ["runtime/worker/lua"],
    r"ffi\.h": ["runtime/worker/"],
    r"seccomp\.h": ["runtime/worker/"],
    r"cJSON\.h": [],
    r"pcre2\.h": ["runtime/base/"],
    r"sqlite3\.h": ["runtime/store/"],
}

INCLUDE = re.compile(r'^#\s*include\s+(["<])([^">]+)[">]', re.M)


def includes(path):
    """(line, quote, name) of each #include of a file."""
    text = house.without_comments(house.read(path))
    return [(text.count("\n", 0, m.start()) + 1, m.group(1), m.group(2))
            for m in INCLUDE.finditer(text)]


def may_include(path, layer, name):
    """Whether a file of the runtime may include "name"."""
    if name == "config.h" or "/" not in name:
        return True  # generated, or of its own folder
    target = name.split("/")[0]
    if target not in LAYERS:
        return True  # not a layer: lint_headers finds what does not exist
    if layer != "cmd":
        return target in MAY[layer]
    if os.path.basename(path) == "linli-worker.c":
        return target in MAY["worker"]
    return target == "cmd" or target in MAY["server"]  # linli


def test_layers():
    found = []
    for path in house.c_files("runtime"):
        layer = path.split("/")[1]
        for line, quote, name in includes(path):
            if quote == '"' and not may_include(path, layer, name):
                found.append("%s:%d: %s may not include %s"
                             % (path, line, layer, name))
    house.report(found)


def test_same_folder_names():
    """A quoted name without a folder is a file of the same folder."""
    found = []
    for path in house.c_files("runtime"):
        here = os.path.join(house.SRC, os.path.dirname(path))
        for line, quote, name in includes(path):
            if quote != '"' or "/" in name or name == "config.h":
                continue
            if not os.path.exists(os.path.join(here, name)) \
                    and not os.path.exists(os.path.join(house.BUILD, "gen",
                                                        name)):
                found.append("%s:%d: no %s in its folder" % (path, line,
                                                            name))
    house.report(found)


def test_linlid_uses_the_public_interface():
    found = []
    own = house.make_list("runtime/cmd/files.mk", "linlid_SRCS")
    for path in ["runtime/cmd/" + name for name in own]:
        for line, quote, name in includes(path):
            if quote == "<" and name.startswith("linli/"):
                ok = name == "linli/host.h"
            else:
                ok = quote == "<" or name == "config.h" \
                    or name.startswith("cmd/") or "/" not in name
            if not ok:
                found.append("%s:%d: linlid may not include %s"
                             % (path, line, name))
    house.report(found)


def test_outside_of_the_runtime():
    """The SDK, plugins and examples know linli/*.h only."""
    found = []
    for path in house.c_files("sdk", "plugins", "examples"):
        for line, _, name in includes(path):
            if name.split("/")[0] in LAYERS or "runtime" in name:
                found.append("%s:%d: includes %s of the runtime"
                             % (path, line, name))
    house.report(found)


def test_plugin_authors_see_plugin_h_only():
    found = []
    for path in house.c_files("plugins"):
        for line, _, name in includes(path):
            if name == "linli/host.h":
                found.append("%s:%d: a plugin includes host.h"
                             % (path, line))
    house.report(found)


def test_foreign_libraries_have_their_place():
    found = []
    for path in house.c_files("runtime", "sdk"):
        for line, _, name in includes(path):
            for pattern, places in FOREIGN.items():
                if re.fullmatch(pattern, name) \
                        and not path.startswith(tuple(places) or ("\0",)):
                    found.append("%s:%d: %s belongs to %s" % (
                        path, line, name, " or ".join(places) or "nobody"))
    house.report(found)


if __name__ == "__main__":
    tap.main()
