"""tests/faults/disk.py: a linlid on a disk that obeys, tests/faults/io.c."""

import os

from ledger import config
from linli_test import Daemon


class Disk(Daemon):
    """A linlid whose disk can be told to fail."""

    def __init__(self, **more):
        more.setdefault("config", config("tally", "listener"))
        super().__init__(allow_exit=True, **more)

    def command_line(self):
        """Through env, which becomes linlid."""
        return preloaded(self.folder) + super().command_line()

    def fault(self, operation, error, skip=0, tail="*", times=""):
        """From now on such operations fail; see io.c."""
        write_fault(self.folder, operation, error, skip, tail, times)

    def heal(self):
        """The disk is well again."""
        os.remove(os.path.join(self.folder, "fault"))


def preloaded(folder):
    """The words before a command whose disk obeys FOLDER/fault."""
    return ["env", "LD_PRELOAD=" + Daemon.built("faults/io.so"),
            "ASAN_OPTIONS=verify_asan_link_order=0:"
            + os.environ.get("ASAN_OPTIONS", ""),
            "LINLI_FAULT=" + os.path.join(folder, "fault")]


def write_fault(folder, operation, error, skip=0, tail="*", times=""):
    """Whole at once: linlid may look at any moment."""
    path = os.path.join(folder, "fault")
    with open(path + ".new", "w", encoding="ascii") as f:
        f.write("%s %d %d %s %s" % (operation, error, skip, tail, times))
    os.rename(path + ".new", path)
