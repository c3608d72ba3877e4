"""tests/lint/problems.py: spec/problems.md, made from problem.def.

    python3 tests/lint/problems.py >spec/problems.md

lint_problems.py compares the two, so the page is never older than the table.
"""

import re

import house

HEAD = """# Problems

Every failure that Linli reports, by its stable `code`. Over HTTP it is the
`code` member of a problem ([http.md](http.md), section 6) and the tail of its
`type`, `urn:linli:problem:CODE`; on a command line it stands before the
sentence. Apps and scripts may depend on codes and statuses; titles and fixes
are for people and may be worded better at any time. A code without a status
never leaves over HTTP. *Again* says that the same request may pass later.
`linli explain CODE` prints a row, with the fix in both languages. What a
plugin declares under `problems` in its manifest joins these, under its own
prefix.

This page is made from [problem.def](../runtime/base/problem.def) by
`python3 tests/lint/problems.py >spec/problems.md`; `make lint` compares them.
"""

GROUP = re.compile(r"/\* -- (.*?) -- \*/", re.S)
ROW = re.compile(r"^P\((.*?)\)\s*$", re.M | re.S)
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def arguments(text):
    """The arguments of one P(...): strings joined, numbers as text."""
    found, at = [], 0
    while at < len(text):
        rest = text[at:].lstrip()
        at = len(text) - len(rest)
        joined, is_string = "", False
        while True:
            m = STRING.match(text, at)
            if not m:
                break
            joined, is_string = joined + m.group(1), True
            at = m.end()
            at += len(text[at:]) - len(text[at:].lstrip())
        if not is_string:
            m = re.compile(r"[^,]*").match(text, at)
            joined, at = m.group().strip(), m.end()
        found.append(joined)
        at += 1  # the comma
    return found


def problems():
    """[(group, [code, status, retryable, en, zh, fix_en, fix_zh])]."""
    text = house.read("runtime/base/problem.def")
    marks = [(m.start(), " ".join(m.group(1).split()))
             for m in GROUP.finditer(text)]
    found = []
    for m in ROW.finditer(text):
        row = arguments(m.group(1))
        assert len(row) == 7, "not seven arguments: %s" % m.group(1)
        group = [title for at, title in marks if at < m.start()][-1]
        found.append((group, row))
    return found


def page():
    """The text of spec/problems.md."""
    lines, before = [HEAD], None
    for group, (code, status, again, en, zh, fix, _) in problems():
        if group != before:
            lines.append("%s## %s\n\n| Code | Status | Again | Title | What to "
                         "do |\n|---|---:|---|---|---|"
                         % ("\n" if before else "",
                            group[0].upper() + group[1:]))
            before = group
        lines.append("| `%s` | %s | %s | %s<br>%s | %s |"
                     % (code, "" if status == "0" else status,
                        "yes" if again == "1" else "",
                        en, zh, fix.replace("|", "\\|")))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
