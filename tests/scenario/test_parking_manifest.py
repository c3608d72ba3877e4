"""tests/scenario/test_parking_manifest.py: plugin.json of parking agrees
with itself and with its Lua files. Needs no linlid."""

import json
import os
import re
import subprocess

import tap

FOLDER = os.path.join(tap.source_folder(), "plugins", "parking")
SOURCES = sorted(n for n in os.listdir(FOLDER) if n.endswith(".lua"))


def read(name):
    """A file of the package as text."""
    with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
        return f.read()


def manifest():
    """plugin.json, parsed."""
    return json.loads(read("plugin.json"))


def config_defs():
    """The definitions of the configuration's schema."""
    return manifest()["config_schema"]["$defs"]


def request_of(method, path):
    """The schema of a route's body."""
    for route in manifest()["routes"]:
        if (route["method"], route["path"]) == (method, path):
            return route["request"]
    raise AssertionError("no route %s %s" % (method, path))


def lua_defaults():
    """M.DEFAULTS of tariff.lua, lists as their length."""
    code = ("for k, v in pairs(require('tariff').DEFAULTS) do "
            "print(k, type(v) == 'table' and #v or tostring(v)) end")
    done = subprocess.run(
        ["lua5.4", "-e", "package.path='%s/?.lua'" % FOLDER, "-e", code],
        stdout=subprocess.PIPE, check=True, text=True)
    return dict(line.split("\t") for line in done.stdout.splitlines())


def test_tariff_is_the_same_wherever_it_stands():
    """One schema cannot refer into another, so the text stands thrice."""
    simulate = request_of("POST", "/tariffs/:lot/simulate")
    for name in ("tariff", "block"):
        tap.equal(simulate["$defs"][name], config_defs()[name], name)
    stored = request_of("PUT", "/tariffs/:lot")
    tap.equal(stored["$defs"]["block"], config_defs()["block"], "block")
    stored = {k: v for k, v in stored.items() if k not in ("$schema", "$defs")}
    tap.equal(stored, config_defs()["tariff"], "stored tariff")


def test_event_is_the_same_live_and_replayed():
    live = request_of("POST", "/gates/:gate/events")
    item = request_of("POST", "/gates/:gate/replay")[
        "properties"]["events"]["items"]
    live = {k: v for k, v in live.items() if k != "$schema"}
    tap.equal(item, live, "event")


def test_defaults_are_those_of_the_code():
    """What the operator's form shows is what an absent member means."""
    said = {}
    for name, rule in config_defs()["tariff"]["properties"].items():
        if "default" in rule:
            value = rule["default"]
            said[name] = (str(len(value)) if isinstance(value, list)
                          else json.dumps(value).strip('"'))
    tap.equal(lua_defaults(), said, "defaults")


def test_problems_are_declared_and_raised():
    """The code raises what is declared, and nothing else."""
    raised = set()
    for name in SOURCES:
        raised |= set(re.findall(r'"(parking/[a-z-]+)"', read(name)))
    declared = set(manifest()["problems"])
    tap.equal(raised, declared, "problem codes")


def test_every_text_is_there_in_both_languages():
    """Titles by language tag; descriptions of a schema as "zh / en"."""
    for code, problem in manifest()["problems"].items():
        tap.equal(set(problem["title"]), {"zh-CN", "en"}, code)
    rules = dict(config_defs()["tariff"]["properties"],
                 **config_defs()["gate"]["properties"])
    for route in manifest()["routes"]:
        tap.equal(set(route["summary"]), {"zh-CN", "en"}, route["path"])
        rules.update(route.get("request", {}).get("properties", {}))
    for name, rule in rules.items():
        zh, _, en = rule["description"].partition(" / ")
        assert re.search("[\u4e00-\u9fff]", zh), name
        assert en and not re.search("[\u4e00-\u9fff]", en), name


if __name__ == "__main__":
    tap.main()
