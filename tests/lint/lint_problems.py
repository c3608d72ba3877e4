"""tests/lint/lint_problems.py: problem.def and spec/problems.md agree."""

import re

import house
import problems
import tap


def test_page_is_made_from_the_table():
    fix = "run python3 tests/lint/problems.py >spec/problems.md"
    house.report([] if house.read("spec/problems.md") == problems.page()
                 else [fix])


def test_rows_are_complete():
    """Each row says, in both languages, what happened and what to do."""
    found = []
    for _, (code, status, again, en, zh, fix_en, fix_zh) in \
            problems.problems():
        if not re.fullmatch(r"[a-z]+(/[a-z]+(-[a-z]+)*)?", code):
            found.append("%s: not a code" % code)
        if status != "0" and not 400 <= int(status) <= 599:
            found.append("%s: status %s" % (code, status))
        if again not in ("0", "1"):
            found.append("%s: retryable is %s" % (code, again))
        if again == "1" and status in ("400", "401", "403", "404", "422"):
            found.append("%s: a %s does not pass later" % (code, status))
        for text in (zh, fix_zh):
            if not re.search(r"[一-鿿]", text):
                found.append("%s: no Chinese in %r" % (code, text))
        for text in (en, fix_en):
            if not re.match(r"[A-Z]|linli", text) or re.search(r"[一-鿿]", text):
                found.append("%s: no English sentence: %r" % (code, text))
        if en.endswith("."):
            found.append("%s: a title ends without a full stop" % code)
    house.report(found)


if __name__ == "__main__":
    tap.main()
