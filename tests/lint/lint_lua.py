"""tests/lint/lint_lua.py: sdk/lua, its types and its page name the same."""

import re

import house
import tap


def exported(module):
    """The names a module of sdk/lua/linli gives out."""
    text = house.read("sdk/lua/linli/%s.lua" % module)
    names = set(re.findall(r"^function %s\.(\w+)" % module, text, re.M))
    table = re.search(r"^(?:return|local %s =) \{(.*?)\}" % module, text,
                      re.M | re.S).group(1)
    return names | set(re.findall(r"(\w+) = \w", table))


def annotated(module):
    """The names that sdk/lua/library/linli.lua annotates for it."""
    text = house.read("sdk/lua/library/linli.lua")
    return set(re.findall(r"^function %s\.(\w+)" % module, text, re.M))


def test_types_name_what_is_there():
    found = []
    for module in ("json", "money", "time"):
        real, typed = exported(module), annotated(module)
        found += ["linli.%s.%s has no types" % (module, n)
                  for n in sorted(real - typed)]
        found += ["linli.%s.%s has types and is not there" % (module, n)
                  for n in sorted(typed - real)]
        if not real:
            found.append("linli.%s gives out nothing?" % module)
    house.report(found)


def test_page_names_what_is_there():
    page = house.read("spec/lua.md")
    house.report(["spec/lua.md does not name %s of linli.%s" % (name, module)
                  for module in ("json", "money", "time")
                  for name in sorted(exported(module))
                  if not re.search(r"\b%s\b" % name, page)])


def test_types_name_the_fields_of_a_call():
    text = house.read("runtime/worker/lua_call.c")
    table = text[text.index("lazy_fields[]"):]
    fields = set(re.findall(r'\{"(\w+)", push_', table))
    fields |= set(re.findall(
        r'lua_setfield\(L, -2, "(\w+)"\)',
        text[text.index("\nll_lua_push_call("):]))
    types = house.read("sdk/lua/library/linli.lua")
    typed = set(re.findall(r"---@field (\w+)\??",
                           types[types.index("@class linli.Call\n"):
                                 types.index("local Call")]))
    house.report(["call.%s: types and lua_call.c differ" % n
                  for n in sorted(fields ^ (typed - {"host", "db", "data"}))])


def test_types_and_page_name_the_methods():
    """call.db.NAME:get ... and call:timer ..., from their tables in C."""
    types = house.read("sdk/lua/library/linli.lua")
    page = house.read("spec/lua.md")
    found = []
    for sources, name in ((["lua_db"], "Collection"),
                          (["lua_effects", "lua_pay"], "Call")):
        text = "".join(house.read("runtime/worker/%s.c" % source)
                       for source in sources)
        real = set(re.findall(r'^    \{":(\w+)",\s*"', text, re.M))
        typed = set(re.findall(r"^function %s:(\w+)" % name, types, re.M))
        assert real, "%s have no methods?" % sources
        found += ["%s:%s has no types" % (name, n)
                  for n in sorted(real - typed)]
        found += ["spec/lua.md does not name %s:%s" % (name, n)
                  for n in sorted(real) if ":%s" % n not in page]
        found += ["%s:%s has types and is not there" % (name, n)
                  for n in sorted(typed - real - {"fail"})]
    house.report(found)


if __name__ == "__main__":
    tap.main()
