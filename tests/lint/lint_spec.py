"""tests/lint/lint_spec.py: tables of spec/ that the code has too."""

import json
import re

import house
import tap


def table(path, name):
    """The rows of the table after <!-- name -->: lists of cells."""
    found = re.search(r"<!-- %s -->\n((?:\|.*\n)+)" % name, house.read(path))
    assert found, "%s has no table %s" % (path, name)
    rows = [[c.strip() for c in line.strip("|\n").split("|")]
            for line in found.group(1).splitlines()]
    return rows[2:]


def body_of(path, function):
    """The text of a C function."""
    found = re.search(r"^%s\(.*?^}" % re.escape(function), house.read(path),
                      re.M | re.S)
    assert found, "%s has no %s" % (path, function)
    return found.group(0)


def test_frames():
    codes = {"H": "host", "W": "worker", "B": "both"}
    coded = [[name, number, codes[way]] for name, number, way in re.findall(
        r"X\((\w+), (\d+), ([HWB])\)", house.read("runtime/wire/frame.h"))]
    tap.equal([row[:3] for row in table("spec/wire.md", "frames")], coded)


def test_payloads():
    """A payload's list has as many items as its table, on both sides."""
    for name, writer, readers in (
            ("hello-host", ("runtime/plugin/proc.c", "send_hello"),
             ("runtime/worker/hello.c", "read_hello")),
            ("hello-worker", ("runtime/worker/worker.c", "tell_level"),
             ("runtime/plugin/proc.c", "hear_level")),
            ("call", ("runtime/host/call_run.c", "write_payload"),
             ("runtime/worker/loop.c", "read_call"))):
        rows = len(table("spec/wire.md", name))
        written = re.search(r"ll_put_list\(&?\w+, (\d+)\)", body_of(*writer))
        read = re.search(r"ll_rd_list\(&rd\) [!=]= (\d+)", body_of(*readers))
        tap.equal((rows, rows), (int(written.group(1)),
                                 int(read.group(1))), name)


def test_states():
    coded = re.findall(r"X\((\w+), \w+,", re.search(
        r"#define LL_CALL_STATES\(X\).*?\n\n", house.read(
            "runtime/host/call.h"), re.S).group(0))
    tap.equal([row[0] for row in table("spec/pipeline.md", "states")], coded)


def test_codes_and_statuses():
    """A code of pipeline.md has, after its status, the table's own."""
    statuses = dict(re.findall(r'^P\("([^"]+)", (\d+),',
                               house.read("runtime/base/problem.def"), re.M))
    found = []
    for said, codes in re.findall(r"\b(\d{3}) ((?:`[a-z]+/[a-z-]+`(?:, )?)+)",
                                  house.read("spec/pipeline.md")):
        for code in re.findall(r"`([^`]+)`", codes):
            if statuses.get(code) != said:
                found.append("%s is %s, not %s"
                             % (code, statuses.get(code), said))
    house.report(found)


def test_functions():
    coded = re.findall(r"^LINLI_API .*?\b(linli_\w+)\(",
                       house.read("sdk/include/linli/host.h"), re.M)
    tap.equal([row[0].strip("`") for row in table("spec/host.md",
                                                  "functions")], coded)


def test_consent_reasons():
    text = house.read("runtime/domain/consent.h").replace("\\\n", " ")
    coded = re.findall(r'X\(\w+,\s*(\w+),\s*"([^"]*)"\)', text[
        text.index("#define LL_REASONS"):text.index("enum ll_reason")])
    tap.equal([[cell.strip("`") for cell in row[:2]]
               for row in table("spec/consent.md", "reasons")],
              [list(pair) for pair in coded])


def settings(schema, root, path=""):
    """{setting: (type, default or None, required)} of a schema, deeper."""
    found = {}
    for name, inner in schema.get("properties", {}).items():
        if "$ref" in inner:
            inner = root["$defs"][inner["$ref"].rsplit("/", 1)[1]]
        required = name in schema.get("required", [])
        here = path + name
        objects = [inner] + inner.get("oneOf", [])
        if inner.get("type") == "array":
            here += "[]"
            objects = [inner["items"]]
        deeper = {}
        for one in objects:
            deeper.update(settings(one, root, here + "."))
        if not deeper or "oneOf" in inner or inner.get("type") == "array":
            found[here] = (inner.get("default"), required)
        found.update(deeper)
    return found


def test_settings():
    schema = json.loads(house.read("spec/config.schema.json"))
    coded = settings(schema, schema)
    written = {row[0].strip("`"): row[2].strip("`")
               for row in table("spec/config.md", "settings")}
    tap.equal(sorted(written), sorted(coded))
    found = []
    for name, (default, required) in coded.items():
        text = written[name]
        wanted = default if isinstance(default, str) else json.dumps(default)
        if default is not None and text != wanted:
            found.append("%s: default %s, config.md says %s"
                         % (name, wanted, text))
        # Of an object that may be left out, none of it is required.
        if required and not name.startswith("rate_limit.") \
                and text != "required":
            found.append("%s is required" % name)
    house.report(found)


if __name__ == "__main__":
    tap.main()
