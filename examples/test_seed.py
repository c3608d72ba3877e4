"""examples/test_seed.py: the seed, and what its page says to call next."""

import os
import re
import shlex

import tap
from linli_test import Daemon, program, run


def commands():
    """The commands of the page, one string each."""
    path = os.path.join(tap.source_folder(), "examples/seed/README.md")
    with open(path, encoding="utf-8") as f:
        block = re.search(r"```sh\n(.*?)```", f.read(), re.S).group(1)
    return block.replace("\\\n", " ").strip().split("\n")


def test_the_page():
    with Daemon(options=["--demo=on"], plugins=os.path.join(
            tap.source_folder(), "plugins")) as d:
        outs = []
        for command in commands():
            words = shlex.split(command)
            tap.equal(words[:2], ["./linli", "--data=demo-data"])
            done = run([program("linli"), "--data=" + d.data] + words[2:],
                       cwd=tap.source_folder())
            tap.equal(done.code, 0, done)
            outs.append(done)
        tap.equal(outs[1].json["action"], "open")
        inside = outs[2].json["items"]
        tap.equal([s["id"] for s in inside], [outs[1].json["session_id"]])
        again = run([program("linli"), "--data=" + d.data, "--json", "seed",
                     os.path.join(tap.source_folder(),
                                  "examples/seed/demo.json")])
        tap.equal(again.json["documents"], 0)


if __name__ == "__main__":
    tap.main()
