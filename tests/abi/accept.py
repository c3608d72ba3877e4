#!/usr/bin/env python3
"""tests/abi/accept.py: takes the plugin ABI as it is now.

    accept.py LAYOUT-PROGRAM SPEC-FOLDER

Writes SPEC-FOLDER/level-N.layout and level-N.symbols from what the program
prints, if the change is one that the level allows (spec/abi.md, section 8):
while the level is a draft anything may change, and LINLI_ABI_DRAFT is raised
with it; once it is frozen, lines are added and none is changed. Exit status
0: written, or the same already; 1: refused, with the reason.
"""

import os
import re
import subprocess
import sys

KINDS = ("layout", "symbols")


def printed(program, kind):
    """What the program prints for one kind, as lines."""
    done = subprocess.run([program, kind], stdout=subprocess.PIPE,
                          text=True, check=True)
    return done.stdout.splitlines()


def version(lines):
    """(level, draft) of the first line, "level 1 draft 1"."""
    found = re.fullmatch(r"level (\d+) draft (\d+)", lines[0])
    return int(found.group(1)), int(found.group(2))


def rows(lines):
    """Lines as comparable rows: a member's row names its struct, and the
    size of a struct is left out, since structs grow at the end."""
    out, struct = [], ""
    for line in lines[1:]:
        if line.startswith("struct "):
            struct = line.split()[1]
            out.append("struct " + struct)
        else:
            out.append(struct + line if line.startswith("  ") else line)
    return out


def refusal(old, new):
    """Why `new` may not follow `old`; None if it may. Lists of lines."""
    if old == new:
        return None
    was, now = version(old), version(new)
    if now[0] != was[0]:
        return "the level changed: keep level %d beside it" % was[0]
    if was[1] == 0:
        if now[1] != 0:
            return "a frozen level does not become a draft again"
        lost = [row for row in rows(old) if row not in rows(new)]
        if lost:
            return ("level %d is frozen, and this changed or went: %s"
                    % (was[0], lost[0].strip()))
        return None
    if now[1] != 0 and now[1] <= was[1] and old[1:] != new[1:]:
        return ("raise LINLI_ABI_DRAFT in linli/plugin.h over %d, so that "
                "plugins built before are refused by name" % was[1])
    return None


def accept(program, folder):
    """Write both files or neither; the reason of a refusal, or None."""
    new = {kind: printed(program, kind) for kind in KINDS}
    level = version(new["layout"])[0]
    paths = {kind: os.path.join(folder, "level-%d.%s" % (level, kind))
             for kind in KINDS}
    for kind in KINDS:
        if os.path.exists(paths[kind]):
            with open(paths[kind], encoding="utf-8") as f:
                why = refusal(f.read().splitlines(), new[kind])
            if why:
                return "%s: %s" % (os.path.basename(paths[kind]), why)
    for kind in KINDS:
        with open(paths[kind] + ".tmp", "w", encoding="utf-8") as f:
            f.write("\n".join(new[kind]) + "\n")
        os.replace(paths[kind] + ".tmp", paths[kind])
    return None


def main():
    """The command line."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    why = accept(sys.argv[1], sys.argv[2])
    if why:
        sys.exit("accept-abi: " + why)


if __name__ == "__main__":
    main()
