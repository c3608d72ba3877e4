"""tests/faults/power.py: a linlid whose power can be cut.

tests/faults/power.c notes what linlid writes and syncs. After a kill the two
files are made anew from that: what was synced is there, and of the rest each
write is there, is not there, or is there in part, by chance.
"""

import os
import random
import shutil
import struct

from ledger import config
from linli_test import Daemon

RECORD = struct.Struct("<QIIQQ")
WRITE, CUT, SYNC = range(3)
FILES = ("linli.db", "linli.db-wal")
SECTOR = 512


class Power(Daemon):
    """A linlid on such a disk; its database must be there already."""

    def __init__(self, **more):
        super().__init__(config=config("tally", "listener"), **more)

    def command_line(self):
        """Through env, which becomes linlid."""
        return ["env", "LD_PRELOAD=" + Daemon.built("faults/power.so"),
                "ASAN_OPTIONS=verify_asan_link_order=0:"
                + os.environ.get("ASAN_OPTIONS", ""),
                "LINLI_POWER=" + self.notes] + super().command_line()

    @property
    def notes(self):
        """Where the writes are noted."""
        return os.path.join(self.folder, "notes")

    def begin(self):
        """Before a start: what lies there now is on disk."""
        if os.path.exists(self.notes):
            os.remove(self.notes)
        self.before = [contents(os.path.join(self.data, f)) for f in FILES]

    def cut(self):
        """The power goes: linlid is killed, and its files become what the
        disk has. Returns how many writes were not synced, and how many of
        them are there nevertheless."""
        self.kill()
        with open(self.notes, "rb") as f:
            notes = read_notes(f.read())
        images, loose, kept = on_disk(self.before, notes)
        for name, image in zip(FILES, images):
            path = os.path.join(self.data, name)
            with open(path, "wb") as f:
                f.write(image)
        shm = os.path.join(self.data, "linli.db-shm")
        if os.path.exists(shm):
            os.remove(shm)  # nothing of it outlives the machine
        return loose, kept


def contents(path):
    """The bytes of a file; none without it."""
    if not os.path.exists(path):
        return b""
    with open(path, "rb") as f:
        return f.read()


def read_notes(data):
    """[(number, kind, file, at, bytes)]; the last may be cut short."""
    notes, at = [], 0
    while at + RECORD.size <= len(data):
        number, kind, file, offset, length = RECORD.unpack_from(data, at)
        at += RECORD.size
        if at + length > len(data):
            break
        notes.append((number, kind, file, offset, data[at:at + length]))
        at += length
    return notes


def apply(image, kind, at, data):
    """Does one write, or one cut, to a bytearray."""
    if kind == CUT:
        del image[at:]
        image.extend(bytes(at - len(image)))
        return
    image.extend(bytes(max(0, at - len(image))))
    image[at:at + len(data)] = data


def on_disk(before, notes):
    """The two files as the disk has them; how many writes were loose, and
    how many of those got there, whole or in part."""
    images = [bytearray(image) for image in before]
    loose, kept = 0, 0
    for file, image in enumerate(images):
        synced = max((at for _, kind, which, at, _ in notes
                      if kind == SYNC and which == file), default=0)
        for number, kind, which, at, data in notes:
            if which != file or kind == SYNC:
                continue
            if number > synced:
                loose += 1
                if random.random() < 0.5:
                    continue
                kept += 1
                if kind == WRITE and random.random() < 0.3:
                    cut = random.randrange(0, len(data) + 1, SECTOR)
                    data = data[:cut]
            apply(image, kind, at, data)
    return images, loose, kept


def new_directory(folder):
    """A data directory whose database is there and synced."""
    with Daemon(config=config("tally", "listener")) as d:
        d.token("resident:nobody")
        d.stop()
        shutil.copytree(d.data, folder)
    return folder
