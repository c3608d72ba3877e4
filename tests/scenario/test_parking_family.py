"""tests/scenario/test_parking_family.py: what parking knows of residents
(spec/parking.md, P46 and P47): "got home", and numbers of those who share."""

import json
import os
import time

from linli_test import Daemon, wait_until
import tap

TARIFF = {"free_minutes": 30, "lost_fee_fen": 5000,
          "first": {"minutes": 60, "fee_fen": 500},
          "next": {"minutes": 30, "fee_fen": 200}}
CONFIG = {"lots": {"p1": {"name": "地下一层", "tariff": TARIFF}},
          "gates": {"g1": {"lot": "p1", "direction": "entry"},
                    "g2": {"lot": "p1", "direction": "exit"}}}
SEED = {"communities": [{"id": "demo", "name": "示范小区"}],
        "households": [{"id": "h1", "community": "demo"},
                       {"id": "h2", "community": "demo"}],
        "residents": [{"id": who, "community": "demo", "household": home}
                      for who, home in (("wang", "h1"), ("li", "h1"),
                                        ("zhou", "h2"))]}
NOTICE = {"field": "parking_trail", "purpose": "family_notice"}


class Park(Daemon):
    """A daemon with parking, and two households."""

    def __enter__(self):
        super().__enter__()
        path = os.path.join(self.folder, "seed.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(SEED, f)
        self.linli_ok("seed", path)
        self.enable(self.source("plugins/parking"), config=CONFIG)
        return self

    def ask(self, method, path, body, who):
        """A write, that must succeed."""
        answer = self.call("parking", path, body, method=method,
                           key=os.urandom(8).hex(), as_="resident:" + who)
        assert answer.status // 100 == 2, answer
        return answer

    def me(self, method, path, body=None, who="wang"):
        """What a resident says to the host."""
        answer = self.http(method, "/v1/c/demo/me/" + path, body,
                           key=os.urandom(8).hex(), as_="resident:" + who)
        assert answer.status // 100 == 2, answer
        return answer.json

    def comes_home(self):
        """Wang's car comes in, and goes."""
        self.ask("POST", "/scan-entry", {"gate": "g1"}, "wang")
        self.ask("POST", "/scan-exit", {"gate": "g2"}, "wang")

    def heard(self, who):
        """Messages on somebody's phone."""
        answer = self.http("GET", "/v1/dev/sim/messages?to=" + who, headers={
            "Authorization": "Bearer " + self.ready["admin_token"]})
        tap.equal(answer.status, 200, answer)
        return [m["text"] for m in answer.json["items"]]


def test_got_home():
    with Park() as d:
        d.ask("PUT", "/family", {"tell": True}, "wang")
        d.ask("PUT", "/family", {"hear": True}, "li")
        d.ask("PUT", "/family", {"hear": True}, "zhou")
        d.comes_home()
        time.sleep(1)
        tap.equal(d.heard("li"), [])
        text = d.me("GET", "asks?plugin=parking")["text_version"]
        d.me("POST", "consents", dict(NOTICE, plugin="parking",
                                      text_version=text))
        d.comes_home()
        wait_until(lambda: len(d.heard("li")) == 1, timeout_s=10)
        tap.contains(d.heard("li")[0], "平安到家")
        grant = [i for i in d.me("GET", "consents")["items"]
                 if i["withdrawable"] and i["state"] == "live"][0]["id"]
        d.me("DELETE", "consents/" + grant)
        d.comes_home()
        time.sleep(1)
        tap.equal(len(d.heard("li")), 1)
        # Another household, and who drives, hear nothing.
        tap.equal((d.heard("zhou"), d.heard("wang")), ([], []))


if __name__ == "__main__":
    tap.main()
