#!/usr/bin/env python3
# test-timeout-s: 1800
"""tests/faults/test_power.py: the power goes, under load.

What linlid had not synced is lost, in part or whole; what it had answered is
not. LINLI_FAULTS=long, as `make check-fault` sets it, does it fifty times.
"""

import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from ledger import Audit, Book, settle  # noqa: E402
from linli_test import temporary_folder  # noqa: E402
from power import Power, new_directory  # noqa: E402

CUTS = 50 if os.environ.get("LINLI_FAULTS") == "long" else 6


def test_power_cuts():
    book, loose, kept = Book(), 0, 0
    with temporary_folder() as folder:
        data = new_directory(os.path.join(folder, "data"))
        with Power(data=data) as d:
            d.stop()
            for i in range(CUTS):
                d.begin()
                d.restart()
                book.replay(d, 3)
                book.begin(d)
                # Now and then long enough for the log to be emptied.
                time.sleep(random.uniform(0.05, 1.0))
                if i % 5 == 4:
                    book.end()
                    time.sleep(random.uniform(1.8, 2.3))
                    book.begin(d)
                    time.sleep(random.uniform(0, 0.1))
                some, there = d.cut()
                loose, kept = loose + some, kept + there
                book.end(broken=True)
                Audit(d.data).check(book)
            d.begin()
            d.restart()
            book.finish_open(d)
            settle(d, book)
            d.stop()
            audit = Audit(d.data)
            audit.check(book)
            audit.check_over()
    tap.comment("%d cuts, %d entries; %d writes were loose, %d of them got "
                "to the disk" % (CUTS, len(book.known), loose, kept))


if __name__ == "__main__":
    tap.main()
