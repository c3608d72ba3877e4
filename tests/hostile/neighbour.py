"""tests/hostile/neighbour.py: calls the neighbour every 10 ms until SIGTERM,
then prints what it saw. The first line says that it has begun.

    neighbour.py HOST PORT TOKEN PID

What this process or linlid waited for a processor, because the machine is
busy with something else, is no delay of linlid's making: the kernel counts
it, and it is taken off.
"""

import http.client
import json
import signal
import sys
import time

INTERVAL_S = 0.01
SLOWEST = 5


def waited_ms(pids):
    """How long the processes have waited for a processor in all their
    lives."""
    total = 0
    for pid in pids:
        with open("/proc/%s/schedstat" % pid, encoding="ascii") as f:
            total += int(f.read().split()[1])
    return total / 1e6


def main(host, port, token, pid):
    """Call until told to stop."""
    stop = []
    signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    print("ready", flush=True)
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    headers = {"Authorization": "Bearer " + token}
    times, wrong = [], []
    while not stop:
        begin, waited = time.monotonic(), waited_ms(("self", pid))
        connection.request("GET", "/v1/c/demo/neighbour/hello", None, headers)
        answer = connection.getresponse()
        body = answer.read()
        delay = waited_ms(("self", pid)) - waited
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
