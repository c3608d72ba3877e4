"""tests/bench/consent.py: what consent costs: acts over HTTP, and the log.

Parts of bench.py that are no calls of plugins: how long a resident waits for
an act and for its withdrawal, which is true and on the disk when it answers;
what a leaf of the log costs, and a proof of it.
"""

import json
import os
import statistics
import subprocess
import tempfile
import time

import linli_test

ACTS = 500
LEAVES = 20000
SEED = {"communities": [{"id": "demo", "name": "示范小区"}],
        "residents": [{"id": "wang", "community": "demo",
                       "fields": {"care_notes": "听力不好"}}]}


def spread(seconds):
    """Median and 99th of a hundred, in microseconds."""
    ranked = sorted(seconds)
    return {"p50_us": round(statistics.median(ranked) * 1e6),
            "p99_us": round(ranked[len(ranked) * 99 // 100] * 1e6)}


class Resident:
    """One connection of a resident of a live linlid."""

    def __init__(self, daemon):
        self.connection = daemon.connect()
        self.token = daemon.token("resident:wang")
        self.sent = 0

    def ask(self, method, path, body=None):
        """The answer, and the seconds it took."""
        self.sent += 1
        headers = {"Authorization": "Bearer " + self.token,
                   "Idempotency-Key": "k%d" % self.sent}
        text = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            text = json.dumps(body)
        begun = time.perf_counter()
        self.connection.request(method, "/v1/c/demo/me/" + path, text, headers)
        response = self.connection.getresponse()
        said = response.read()
        took = time.perf_counter() - begun
        if response.status // 100 != 2:
            raise RuntimeError("%s %s: %d %r" % (method, path,
                                                response.status, said))
        return json.loads(said), took


def acts():
    """{"give", "withdraw"}: what a resident waits, one act after the other."""
    given, withdrawn = [], []
    with linli_test.Daemon(config={"rate_limit": "off"}) as daemon:
        path = os.path.join(daemon.folder, "seed.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(SEED, f)
        daemon.linli_ok("seed", path)
        daemon.enable(daemon.source("examples/consent-lua"))
        resident = Resident(daemon)
        text = resident.ask("GET", "asks?plugin=meals")[0]["text_version"]
        for _ in range(ACTS):
            receipt, took = resident.ask("POST", "consents", {
                "plugin": "meals", "field": "care_notes",
                "purpose": "delivery", "text_version": text})
            given.append(took)
            withdrawn.append(
                resident.ask("DELETE", "consents/" + receipt["id"])[1])
    return {"give": spread(given), "withdraw": spread(withdrawn)}


def log(program):
    """What log_rates says, one leaf a commit and a hundred; `program` is the
    command without its arguments."""
    rows = {}
    for batch in (1, 100):
        with tempfile.TemporaryDirectory(prefix="linli-bench-") as folder:
            said = subprocess.run(
                program + [folder, str(LEAVES), str(batch)],
                stdout=subprocess.PIPE, text=True, check=True).stdout
        row = json.loads(said)
        if batch == 1:
            del row["leaf_cpu_us"]  # lost in what a commit of its own costs
        rows["batch_%d" % batch] = row
    return rows
