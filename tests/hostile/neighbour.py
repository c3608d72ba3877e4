"""tests/hostile/neighbour.py: calls the neighbour every 10 ms until SIGTERM,
then prints what it saw. The first line says that it has begun.

    neighbour.py HOST PORT TOKEN

A delay that this process had itself, because the machine gave it no
processor, is no delay of linlid's: the kernel counts it, and it is taken off.
"""

import http.client
import json
import signal
import sys
import time

INTERVAL_S = 0.01
SLOWEST = 5


def own_delay_ms():
    """How long this process has waited for a processor in all its life."""
    with open("/proc/self/schedstat", encoding="ascii") as f:
        return int(f.read().split()[1]) / 1e6


def main(host, port, token):
    """Call until told to stop."""
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    print("ready", flush=True)
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    headers = {"Authorization": "Bearer " + token}
    times, wrong = [], []
    while not stop:
        begin, waited = time.monotonic(), own_delay_ms()
        connection.request("GET", "/v1/c/demo/neighbour/hello", None, headers)
        answer = connection.getresponse()
        body = answer.read()
        delay = own_delay_ms() - waited
        times.append((time.monotonic() - begin) * 1000 - delay)
        if answer.status != 200 or json.loads(body) != {"well": True}:
            wrong.append([answer.status, body.decode("utf-8", "replace")])
        time.sleep(INTERVAL_S)
    times.sort(reverse=True)
    print(json.dumps({"calls": len(times), "wrong": wrong[:SLOWEST],
                      "worst_ms": times[0] if times else 0,
                      "slowest": times[:SLOWEST]}))


if __name__ == "__main__":
    main(*sys.argv[1:])
