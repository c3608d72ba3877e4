#!/usr/bin/env python3
"""tests/scenario/test_import.py: residents from a spreadsheet, live: spec/seed.md,
section 4."""

import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "lib"))
import tap  # noqa: E402
from linli_test import Daemon  # noqa: E402

PATH = "/v1/c/demo/admin/residents/import"
GOOD = ("编号,户号,称呼,phone,出生日期,长辈模式,heart_rate\r\n"
        "wang,h1,\"王,阿姨\",13800001111,1953-05-17,是,72\r\n"
        "li,h1,李工,,,,\r\n")


class Office(Daemon):
    """A linlid with a household."""

    def __enter__(self):
        super().__enter__()
        path = os.path.join(self.folder, "seed.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write('{"communities": [{"id": "demo"}]}')
        self.linli_ok("seed", path)
        answer = self.http("PUT", "/v1/c/demo/admin/households/h1",
                           {"unit": "3-501", "plates": ["沪A12345"]},
                           as_="operator:o")
        tap.equal((answer.status, answer.json), (200, {"changed": True}))
        return self

    def send(self, text, query="", as_="operator:o", kind="text/csv"):
        """The file as it is, to the import."""
        data = text if isinstance(text, bytes) else text.encode()
        return self.http("POST", PATH + query, data, as_=as_,
                         headers={"Content-Type": kind})

    def fields(self, resident):
        """{field: value} of those that are set, as the resident sees them."""
        answer = self.http("GET", "/v1/c/demo/me/fields",
                           as_="resident:" + resident)
        tap.equal(answer.status, 200, answer)
        return {f["field"]: f["value"] for f in answer.json["items"]
                if f["state"] == "set"}


def errors(answer):
    """(row, column, code) of each error."""
    return [(e["row"], e["column"], e["code"]) for e in answer.json["errors"]]


def test_rows_become_residents():
    with Office() as d:
        answer = d.send("\ufeff" + GOOD)
        tap.equal(answer.status, 200, answer)
        tap.equal(answer.json, {"rows": 2, "imported": 2, "changed": 2,
                                "error_count": 0, "errors": []})
        tap.equal(d.fields("wang"),
                  {"display_name": "王,阿姨", "phone": "13800001111",
                   "birth_date": "1953-05-17", "heart_rate": 72,
                   "plate": ["沪A12345"]})
        # The same again changes nothing; what a row leaves out stays.
        tap.equal(d.send(GOOD).json["changed"], 0)
        tap.equal(d.send("id,phone\nwang,110\n").json["changed"], 1)
        told = d.fields("wang")
        tap.equal((told["phone"], told["display_name"]), ("110", "王,阿姨"))
        listed = d.http("GET", "/v1/c/demo/admin/residents",
                        as_="operator:o").json
        tap.equal([(r["id"], r["household"]) for r in listed["items"]],
                  [("li", "h1"), ("wang", "h1")])


def test_values_lie_sealed():
    with Office() as d:
        tap.equal(d.send(GOOD).status, 200)
        d.stop()
        for name in os.listdir(d.data):
            with open(os.path.join(d.data, name), "rb") as f:
                data = f.read()
            for value in (b"13800001111", b"1953-05-17", "王,阿姨".encode(),
                          "沪A12345".encode()):
                tap.equal(value in data, False, (name, value))
        d.start()
        tap.equal(d.fields("wang")["phone"], "13800001111")


def test_bad_rows_are_named():
    bad = ("id,household,phone,birth_date,heart_rate,elder\n"
           "a,h1,12,1990-02-30,500,maybe\n"
           "b,h1,13800001111,1990-02-28,70,是\n"
           "b,,,,,\n"
           "*,,,,,\n"
           "c,h9,,,,\n"
           "d,,,,,,x\n")
    with Office() as d:
        answer = d.send(bad)
        tap.equal((answer.status, answer.code), (422, "people/import"))
        found = set(errors(answer))
        for want in ((2, "phone", "field/invalid"),
                     (2, "birth_date", "field/invalid"),
                     (2, "heart_rate", "field/invalid"),
                     (2, "elder", "people/row"), (4, "id", "people/row"),
                     (5, "id", "people/row"), (7, None, "people/row")):
            tap.equal(want in found, True, (want, found))
        first = [e for e in answer.json["errors"]
                 if e["column"] == "phone"][0]["message"]
        tap.contains(first["en"] + first["zh-CN"], "13800001111")
        tap.equal("500" in answer.text, False, "a value is not repeated")
        tap.equal(d.fields("b"), {})  # nothing was changed
        # The others are taken; a household that is not there is one more.
        answer = d.send(bad, "?partial=1")
        tap.equal((answer.status, answer.json["imported"]), (200, 1), answer)
        tap.equal((6, "household", "people/row") in errors(answer), True)
        tap.equal(d.fields("b")["heart_rate"], 70)
        tap.equal("phone" in d.fields("a"), False)


def test_files_that_are_none():
    with Office() as d:
        answer = d.send("编号,称呼\nwang,王阿姨\n".encode("gb18030"))
        tap.equal((answer.status, answer.code), (422, "people/encoding"))
        tap.contains(answer.json["detail"], "iconv")
        tap.equal(d.send("id\na\n", kind="application/json").code,
                  "request/content-type")
        tap.equal(errors(d.send("id,colour\na,red\n")),
                  [(1, "colour", "people/column")])
        tap.equal(errors(d.send("id,plate\na,x\n")),
                  [(1, "plate", "people/column")])
        tap.equal(errors(d.send("phone\n110\n")), [(1, None, "people/column")])
        tap.equal(errors(d.send("id,id\na,b\n")), [(1, "id", "people/column")])
        tap.equal(errors(d.send("id,称呼\na,\"x\nb,y\n")),
                  [(2, None, "people/row")])
        tap.equal(d.send("id\n").json["rows"], 0)
        tap.equal(d.send("id\na\n", as_="staff:s").status, 403)
        tap.equal(d.send("id\na\n", as_="resident:r").status, 403)
        tap.equal(d.send("id\n" + "".join("r%d\n" % i for i in range(10001)))
                  .code, "request/invalid")


def test_a_large_file():
    rows = "".join("r%d,1380000%04d\n" % (i, i) for i in range(3000))
    with Office() as d:
        answer = d.send("id,phone\n" + rows)
        tap.equal((answer.status, answer.json["changed"]), (200, 3000), answer)
        tap.equal(d.fields("r2999"), {"phone": "13800002999"})


def test_by_the_command_line():
    with Office() as d:
        path = os.path.join(d.folder, "residents.csv")
        with open(path, "w", encoding="utf-8") as f:
            f.write("id,phone\na,13800001111\nb,x\n")
        done = d.linli("residents", "import", path)
        tap.equal(done.code, 1, done)
        tap.contains(done.err, "row 3, phone")
        tap.contains(done.err, "第 3 行 phone")
        done = d.linli_ok("residents", "import", path, "--partial")
        tap.contains(done.out, "1 of 2 rows")
        tap.equal(d.fields("a")["phone"], "13800001111")


def test_every_change_is_in_the_log():
    with Office() as d:
        tap.equal(d.send("id,phone\nwang,13800001111\n").status, 200)
        d.stop()
        with sqlite3.connect(os.path.join(d.data, "linli.db")) as db:
            leaves = [bytes(r[0]).decode() if isinstance(r[0], bytes) else r[0]
                      for r in db.execute("SELECT leaf FROM log_leaf")]
        changed = [x for x in leaves if '"correct"' in x and '"phone"' in x]
        tap.equal(len(changed), 1, leaves)
        tap.contains(changed[0], '"actor":"operator:o"')
        tap.contains(changed[0], '"digest"')
        tap.equal("wang" in "".join(leaves), False)
        d.start()


if __name__ == "__main__":
    tap.main()
