#!/usr/bin/env python3
# test-timeout-s: 600
"""tests/faults/test_keys.py: one Idempotency-Key, many requests, a kill.

Twenty requests at once with one key, linlid killed among them, twenty more
when it is back: one effect, and one answer for whoever gets any.
LINLI_FAULTS=long, as `make check-fault` sets it, does it a hundred times.
"""

import http.client
import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from ledger import Audit, Book, Client, Entry, config, settle  # noqa: E402
from linli_test import Daemon  # noqa: E402

ROUNDS = 100 if os.environ.get("LINLI_FAULTS") == "long" else 6
AT_ONCE = 20


def send_all(daemon, past, entry, meanwhile=None):
    """The answers to AT_ONCE requests that are sent together, each on its
    own connection; None for one that was lost."""
    answers = [None] * AT_ONCE
    ready = threading.Barrier(AT_ONCE + 1)

    def send(i):
        client = Client(daemon, "c0", past)
        try:
            client.send("GET", "/tally/sum")  # the connection is there
            ready.wait(30)
            status, _, body = client.send(
                "POST", "/tally/entries", entry.body, entry.key)
            answers[i] = (status, body)
        except (OSError, http.client.HTTPException):
            pass
        finally:
            client.connection.close()
    threads = [threading.Thread(target=send, args=(i,))
               for i in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    ready.wait(30)
    if meanwhile:
        meanwhile()
    for thread in threads:
        thread.join(60)
    return answers


def judge(answers, entry):
    """Each is the answer, or that another request is at it; how many are."""
    for status, body in filter(None, answers):
        if status == 409:
            tap.equal(json.loads(body)["code"], "request/in-progress", body)
            continue
        tap.equal(status, 201, body)
        if entry.answer is None:
            entry.answer = (status, body)
        tap.equal((status, body), entry.answer, "answers under one key")
    return len([a for a in answers if a and a[0] == 201])


def test_one_key_over_a_kill():
    book = Book(1)
    past = book.pasts["c0"]
    early = lost = 0
    with Daemon(config=config("tally", "listener")) as d:
        for _ in range(ROUNDS):
            past.count += 1
            entry = Entry("c0", past.count)
            past.open[entry.id] = entry

            def kill():
                time.sleep(random.uniform(0, 0.03))
                d.kill()
            answers = send_all(d, past, entry, kill)
            early += judge(answers, entry) > 0
            lost += answers.count(None)
            if entry.answer:
                past.known.append(past.open.pop(entry.id))
            Audit(d.data).check(book)
            d.restart()
            judge(send_all(d, past, entry), entry)
            client = Client(d, "c0", past)
            client.post(entry)
            tap.equal(client.wrong, [], "wrong answers")
            # The same key for something else, also after all that.
            status, _, body = client.send(
                "POST", "/tally/entries", Entry("c0", 0).body, entry.key)
            tap.equal((status, json.loads(body)["code"]),
                      (422, "request/key-reused"), body)
            client.connection.close()
        settle(d, book)
        d.stop()
        audit = Audit(d.data)
        audit.check(book)
        audit.check_over()
        tap.equal(len(audit.documents["tally", "entry"]), ROUNDS, "entries")
    tap.comment("%d rounds: answered before the kill in %d, %d of %d requests "
                "lost" % (ROUNDS, early, lost, ROUNDS * AT_ONCE))


if __name__ == "__main__":
    tap.main()
