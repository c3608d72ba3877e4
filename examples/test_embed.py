"""examples/test_embed.py: the program that embeds liblinli."""

import json
import os

import tap
from linli_test import program, run


def embed(*words):
    """Run the example with the worker of this build."""
    return run([program("examples/embed/embed")] + list(words)
               + [program("linli-worker")])


def test_prints_the_plugins_answer():
    done = embed(os.path.join(tap.source_folder(), "examples/hello-lua"))
    tap.equal(done.code, 0, done)
    tap.equal(done.out, '200 {"message":"你好, 王阿姨"}\n')
    codes = [json.loads(line)["code"] for line in done.err.splitlines()]
    tap.equal("plugin.enabled" in codes, True, codes)


def test_says_what_is_wrong():
    done = embed(os.path.join(tap.source_folder(), "examples/embed"))
    tap.equal((done.code, done.out), (1, ""), done)
    tap.contains(done.err, "error[package/missing-file]: ")
    tap.contains(done.err, "plugin.json")
    tap.contains(done.err, "fix: ")


if __name__ == "__main__":
    tap.main()
