"""tests/scenario/test_parking_killed.py: cars come, pay and go while a worker
of the plugin is killed every second: each pays once, to the fen."""
# test-timeout-s: 300

import contextlib
import itertools
import os
import random
import signal
import threading
import time

import tap
from test_parking_pay import OPERATOR, expect, parking, rfc3339

CARS = 60
KILL_EVERY_S = 1.0
PATIENCE_S = 90
PLATES = ["沪C%05d" % i for i in range(CARS)]

numbers = itertools.count(1)


class Killer:
    """Kills a worker of the daemon every second."""

    def __init__(self, daemon):
        self.daemon, self.killed = daemon, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        """Until it is over."""
        while not self.over.wait(KILL_EVERY_S):
            workers = self.daemon.workers()
            if workers:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(random.choice(workers), signal.SIGKILL)
                    self.killed += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def insist(park, path, body=None):
    """What a call of the operator comes to: cut off, or told to wait, it is
    sent again under its key, until it is answered."""
    key = "killed-%d" % next(numbers)
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        answer = park.daemon.call(
            "parking", path, body, as_=OPERATOR,
            method="GET" if body is None else "POST",
            key=None if body is None else key)
        # 202: what it awaits takes longer; under its key it is asked again.
        if answer.status < 500 and answer.status != 202 \
                and answer.code != "request/in-progress":
            assert 200 <= answer.status < 300, answer
            return answer.json
        time.sleep(0.1)
    raise AssertionError("never done: %r" % answer)


def sessions(park):
    """All of them, by plate."""
    items = insist(park, "/sessions?limit=100")["items"]
    tap.equal(len({s["plate"] for s in items}), len(items), "one a plate")
    return {s["plate"]: s for s in items}


def everybody(park, state):
    """Waits until that is the state of all; late calls are done on the way."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        found = sessions(park)
        if len(found) == CARS and {s["state"] for s in found.values()} == {
                state}:
            return found
        park.advance(1)
        time.sleep(0.2)
    raise AssertionError("not all %s: %r" % (state, found))


def car_pays(park, session):
    """Its quote, its payment, the notice of it, twice."""
    path = "/sessions/" + session["id"]
    quote = insist(park, path + "/quote", {})
    asked = insist(park, path + "/payments", {"quote_id": quote["quote_id"]})
    park.daemon.linli_ok("trigger", "payment.paid", asked["payment_id"],
                         "--times", "2")


def test_every_car_pays_once():
    with parking() as park, Killer(park.daemon) as killer:
        for plate in PLATES:
            expect(park.enter(plate, "09:00"), action="open")
        everybody(park, "inside")
        park.at("10:40")
        for session in sessions(park).values():
            car_pays(park, session)
        everybody(park, "paid")
        park.at("10:50")
        for plate in PLATES:
            expect(park.exit(plate, "10:50"), action="open")
        for session in everybody(park, "left").values():
            expect(session, paid_fen=900, left_at=rfc3339("10:50"))
        tap.equal(park.metered("parking.gmv_fen"), 900 * CARS, "gmv")
        tap.equal(park.metered("parking.session_closed"), CARS, "closed")
        # A fast machine is done before the third: it is asked on until then.
        until = time.monotonic() + PATIENCE_S
        while killer.killed <= 2 and time.monotonic() < until:
            tap.equal(len(sessions(park)), CARS, "cars")
        assert killer.killed > 2, "%d killed" % killer.killed


if __name__ == "__main__":
    tap.main()
