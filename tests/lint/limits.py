"""tests/lint/limits.py: spec/limits.md, made from runtime/base/limits.h,
limits_data.h, limits_services.h, limits_consent.h and limits_billing.h.

    python3 tests/lint/limits.py >spec/limits.md

lint_house.py compares the two, so the page is never older than the code.
"""

import ast
import re

import house

HEAD = """# Limits

Every bound of the runtime, with the value that is built in. Bytes, counts
and milliseconds, as the name says: `_BYTES_`, `_MS`. A bound that a caller
meets is answered with a problem whose detail names it (see `linli explain`);
nothing is cut silently. A plugin chooses some of them within their range, in
its manifest's `limits`; the defaults here are for those that do not.

This page is made from [runtime/base/limits.h](../runtime/base/limits.h),
[limits_data.h](../runtime/base/limits_data.h),
[limits_services.h](../runtime/base/limits_services.h),
[limits_consent.h](../runtime/base/limits_consent.h) and
[limits_billing.h](../runtime/base/limits_billing.h) by
`python3 tests/lint/limits.py >spec/limits.md`; `make lint` compares them.
"""

SECTION = re.compile(r"/\* -- (.*?) -- \*/")
DEFINE = re.compile(r"#define (LL_\w+)[ \t]+([^/\n]+?)[ \t]*"
                    r"(?:/\*(.*?)\*/[ \t]*)?$", re.M | re.S)


def value(text, known):
    """The number of a limit: integers, other limits, suffixes, << + - *."""
    plain = re.sub(r"LL_\w+", lambda m: str(known[m.group()]), text)
    plain = re.sub(r"(?<=\d)[uUlL]+\b", "", plain)
    if not re.fullmatch(r"[\d\s()<*+-]+", plain):
        raise AssertionError("not a constant: %r" % text)
    return int(eval(compile(ast.parse(plain, mode="eval"), "limit", "eval"),
                    {"__builtins__": {}}))


def limits():
    """[(section, name, value, comment)] of both headers, in their order."""
    text = "".join(house.read("runtime/base/" + name)
                   for name in ("limits.h", "limits_data.h",
                                "limits_services.h", "limits_consent.h",
                                "limits_billing.h"))
    marks = [(m.start(), m.group(1)) for m in SECTION.finditer(text)]
    found, known = [], {}
    for m in DEFINE.finditer(text):
        section = [title for at, title in marks if at < m.start()][-1]
        comment = " ".join((m.group(3) or "").replace("\n *", " ").split())
        known[m.group(1)] = value(m.group(2), known)
        found.append((section, m.group(1), known[m.group(1)], comment))
    return found


def page():
    """The text of spec/limits.md."""
    lines, before = [HEAD], None
    for section, name, number, comment in limits():
        if section != before:
            lines.append("%s## %s\n\n| Limit | Value | Meaning |\n|---|---:|"
                         "---|" % ("\n" if before else "",
                                   section[0].upper() + section[1:]))
            before = section
        lines.append("| `%s` | %s | %s |"
                     % (name, format(number, ",").replace(",", " "),
                        comment.replace("|", "\\|")))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
