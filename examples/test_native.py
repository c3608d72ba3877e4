"""examples/test_native.py: the examples with C in them, over HTTP."""

import os

import tap
from linli_test import Daemon, program


def built(name):
    """An example as `make` has built it."""
    return os.path.join(program("examples"), name)


def test_hello_c():
    with Daemon() as d:
        d.enable(built("hello-c"), community="demo")
        path = "/v1/c/demo/hello-c/hello"
        answer = d.http("GET", path, as_="resident:wang")
        tap.equal(answer.status, 200, answer)
        tap.equal(answer.json, {"message": "你好, 邻里"})
        answer = d.http("POST", path, as_="resident:wang",
                        body={"name": "王\"阿姨\""})
        tap.equal(answer.status, 200, answer)
        tap.equal(answer.json, {"message": "你好, 王\"阿姨\""})
        answer = d.http("POST", path, as_="resident:wang", body={})
        tap.equal((answer.status, answer.code), (422, "request/invalid"))


def test_typed_library():
    with Daemon() as d:
        d.enable(built("typed-library"), community="demo")
        path = "/v1/c/demo/property-fee/quote"
        flat = {"kind": "lift", "area_dm2": 8950, "months": 12}
        answer = d.http("POST", path, as_="resident:wang", body=flat)
        tap.equal(answer.status, 200, answer)
        tap.equal(answer.json, {"fee_fen": 193320,
                                "rule": "电梯: 每月每平方米 1.80 元"})
        flat["kind"] = "castle"
        answer = d.http("POST", path, as_="resident:wang", body=flat)
        tap.equal((answer.status, answer.code),
                  (422, "property-fee/unknown-kind"))


if __name__ == "__main__":
    tap.main()
