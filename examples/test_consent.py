"""examples/test_consent.py: meals, with what a resident lets them know."""

import json
import os

import tap
from linli_test import Daemon

FOLDER = "examples/consent-lua"
SEED = {"communities": [{"id": "demo", "name": "示范小区"}],
        "residents": [{"id": "wang", "community": "demo",
                       "fields": {"care_notes": "听力不好"}}]}


class Kitchen(Daemon):
    """A linlid with the example, and a resident."""

    def __enter__(self):
        super().__enter__()
        path = os.path.join(self.folder, "seed.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(SEED, f)
        self.linli_ok("seed", path)
        self.enable(self.source(FOLDER))
        return self

    def door(self, meal):
        """What the courier reads."""
        answer = self.call("meals", "/meals/" + meal, method="GET",
                           as_="staff:s1")
        tap.equal(answer.status, 200, answer)
        return answer.json

    def me(self, method, path, body=None):
        """What the resident says to the host."""
        answer = self.http(method, "/v1/c/demo/me/" + path, body,
                           key=os.urandom(8).hex(), as_="resident:wang")
        tap.equal(answer.status // 100, 2, answer)
        return answer.json


def test_a_meal_is_brought_with_and_without():
    with Kitchen() as d:
        made = d.call("meals", "/meals", {"dish": "鱼香肉丝"}, key="k",
                      as_="resident:wang")
        tap.equal(made.status, 201, made)
        assert made.json["call_at"].isdigit(), made
        meal = made.json["id"]
        tap.equal(d.door(meal).get("without_notes"), "consent/denied")
        text = d.me("GET", "asks?plugin=meals")["text_version"]
        d.me("POST", "consents", {
            "plugin": "meals", "field": "care_notes", "purpose": "delivery",
            "text_version": text})
        tap.equal(d.door(meal)["notes"], "听力不好")
        grant = [i for i in d.me("GET", "consents")["items"]
                 if i["withdrawable"]][0]["id"]
        d.me("DELETE", "consents/" + grant)
        tap.equal(d.door(meal).get("without_notes"), "consent/withdrawn")


if __name__ == "__main__":
    tap.main()
