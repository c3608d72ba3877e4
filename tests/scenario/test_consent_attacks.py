#!/usr/bin/env python3
# test-timeout-s: 300
"""tests/scenario/test_consent_attacks.py: what somebody tries who wants more
than they may have: a value after its time, of a household that was left, by an
answer that is kept, by a guardian who is none any more."""

import concurrent.futures
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import wait_until  # noqa: E402
from test_data import (ME, NOW, PEOPLE, PLATE, VALUES, accesses,  # noqa: E402
                       keeper)


def admin(d, method, path, body=None):
    """An operator's word."""
    return d.http(method, "/v1/c/demo/admin/" + path, body, as_="operator:op")


def while_it_runs(d, act, who="wang", path="/linger", method="GET", body=None):
    """The answer of a call that has had the value when `act` was done."""
    d.token("resident:" + who)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(d.call, "keeper", path, body, method=method,
                              as_="resident:" + who)
        wait_until(lambda: accesses(d.leaves(), "plate"))
        time.sleep(0.2)
        act()
        return running.result()


def test_a_household_that_was_left():
    """Who has moved out is not given what is their household's, nor is it
    given for them."""
    with keeper(options=["--clock=virtual"]) as d:
        d.linli_ok("clock", "set", str(NOW))
        d.give(PLATE)
        tap.equal(d.value(PLATE), VALUES["plate"])
        answer = admin(d, "PUT", "residents/wang", {
            "household": "h1", "household_to": "2100-01-02T00:00:00Z"})
        tap.equal(answer.status, 200, answer)
        tap.equal(d.value(PLATE), VALUES["plate"])
        d.linli_ok("clock", "advance", "25h")
        tap.equal(d.why(PLATE)["code"], "consent/no-data")
        mine = d.call("keeper", "/mine", method="GET", as_="resident:wang")
        tap.equal("plate" in mine.json, False)


def test_an_optional_field_withdrawn_while_it_runs():
    """It begins again, without the field."""
    with keeper() as d:
        grant = d.give(PLATE)
        answer = while_it_runs(d, lambda: d.withdraw(grant))
        tap.equal((answer.status, answer.json), (200, {}), answer)


def test_another_grant_used_up_revives_no_answer():
    """What was read under a grant that was withdrawn is not told again because
    a later one, for one use, has had its use."""
    with keeper() as d:
        grant = d.give(PLATE)
        first = d.call("keeper", "/keep", PLATE, key="k", as_="resident:wang")
        tap.equal(first.json["value"], VALUES["plate"])
        d.withdraw(grant)
        d.give(PLATE, once=True)
        tap.equal(d.value(PLATE), VALUES["plate"])
        again = d.call("keeper", "/keep", PLATE, key="k", as_="resident:wang")
        tap.equal((again.status, again.code), (403, "consent/expired"), again)


def test_an_answer_of_one_use_is_told_again():
    """The use that it was is the one that it has had."""
    with keeper() as d:
        d.give(PLATE, once=True)
        for _ in range(2):
            answer = d.call("keeper", "/keep", PLATE, key="k",
                            as_="resident:wang")
            tap.equal(answer.json.get("value"), VALUES["plate"], answer)
        d.kill()
        d.restart()
        answer = d.call("keeper", "/keep", PLATE, key="k", as_="resident:wang")
        tap.equal(answer.json.get("value"), VALUES["plate"], answer)


def child(d):
    """A child of 9 or so, whose parent agreed to the plate."""
    d.seed({"communities": PEOPLE["communities"],
            "residents": [
                {"id": "kid", "community": "demo", "household": "h1",
                 "birth_date": time.strftime(
                     "%Y-01-01", time.gmtime(time.time() - 9 * 365 * 86400))},
                {"id": "li", "community": "demo", "household": "h2",
                 "birth_date": "1985-01-02"}],
            "guardians": [{"ward": "kid", "guardian": "li", "kind": "parent",
                           "accepted": True, "verified": True}]})
    body = dict(PLATE, plugin="keeper", text_version=d.text_version())
    answer = d.http("POST", ME + "consents?for=kid", body,
                    key=os.urandom(8).hex(), as_="resident:li")
    tap.equal(answer.status, 201, answer)


def test_a_guardian_who_is_none_any_more():
    """With them goes what they agreed to, of calls that run as well."""
    with keeper() as d:
        child(d)
        answer = while_it_runs(d, lambda: tap.equal(
            admin(d, "PUT", "residents/li", {
                "household": "h2", "capacity": "none"}).status, 200), who="kid")
        tap.equal((answer.status, answer.json), (200, {}), answer)


def test_a_child_erases_nothing_alone():
    """Who is under 14 asks for what is kept; a guardian has it erased."""
    with keeper() as d:
        child(d)

        def ask(kind, as_, ward=""):
            return d.http("POST", ME + "requests" + ward, {"kind": kind},
                          key=os.urandom(8).hex(), as_="resident:" + as_)

        tap.equal(ask("export", "kid").status, 201)
        tap.equal(ask("erase", "kid").code, "consent/forbidden")
        tap.equal(ask("erase", "li").status, 201)


def test_an_operator_stays_in_their_community():
    """A body that names another community, or somebody else, is no way out."""
    with keeper() as d:
        d.seed({"communities": [{"id": "garden", "name": "花园"}]})
        for body in ({"community": "garden", "household": "h9"},
                     {"id": "li", "name": "x"}):
            answer = admin(d, "PUT", "residents/wang", body)
            tap.equal(answer.status // 100, 4, answer)
        li = d.call("keeper", "/mine", method="GET", as_="resident:li")
        tap.equal("display_name" in li.json, False)


def test_a_guardian_is_erased_and_it_starts_again():
    """Somebody new of that name guards nobody, and nothing that the other
    agreed to comes back: not as theirs, nor as the ward's own."""
    with keeper() as d:
        child(d)
        answer = d.http("POST", ME + "requests", {"kind": "erase"}, key="e",
                        as_="resident:li")
        tap.equal(answer.status, 201, answer)
        where = ME + "requests/" + answer.json["id"]
        wait_until(lambda: d.http("GET", where, as_="resident:li")
                   .json["state"] == "done", timeout_s=20)
        tap.equal("plate" in d.call("keeper", "/mine", method="GET",
                                    as_="resident:kid").json, False)
        d.kill()
        d.restart()
        tap.equal("plate" in d.call("keeper", "/mine", method="GET",
                                    as_="resident:kid").json, False)
        tap.equal(d.http("GET", ME + "profile?for=kid",
                         as_="resident:li").status, 404)
        tap.equal([g for g in d.http("GET", ME + "consents",
                                     as_="resident:kid").json["items"]
                   if g["by"] == "self"], [])


if __name__ == "__main__":
    tap.main()
