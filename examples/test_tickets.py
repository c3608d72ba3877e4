"""examples/test_tickets.py: tickets, with a museum, a payment, a message."""

import os

import tap
from linli_test import Daemon, wait_until
from outside import Outside, answer

FOLDER = "examples/tickets-lua"
DAY = "2030-05-01"
KEY = "k-123"


class Museum(Daemon):
    """A linlid with the example, whose museum is a server of ours."""

    def __init__(self, there):
        super().__init__(config={"egress": {"test_addresses": {
            "museum.example:80": there.address}}})

    def __enter__(self):
        super().__enter__()
        self.enable(self.source(FOLDER))
        self.linli_ok("secret", "set", "tickets", "museum_key",
                      "--community", "demo", stdin=KEY)
        return self

    def post(self, path, body=None, as_="resident:wang"):
        """The answer to a request with a key of its own."""
        return self.call("tickets", path, body, as_=as_,
                         key=os.urandom(8).hex())

    def state(self, ticket):
        """That of a ticket."""
        return self.call("tickets", "/tickets/" + ticket, method="GET",
                         as_="resident:wang").json["state"]

    def messages(self):
        """What came to the visitor's phone."""
        got = self.http("GET", "/v1/dev/sim/messages?to=wang", headers={
            "Authorization": "Bearer " + self.ready["admin_token"]})
        tap.equal(got.status, 200, got)
        return [m["text"] for m in got.json["items"]]


def prices():
    """The museum."""
    return Outside({"/prices/" + DAY: answer(200, {"price_fen": 2000})})


def test_a_ticket_is_priced_paid_and_told_of():
    with prices() as there, Museum(there) as d:
        made = d.post("/tickets", {"day": DAY})
        tap.equal((made.status, made.json["price_fen"]), (201, 2000), made)
        asked = there.requests[0]
        tap.equal(asked.headers["authorization"], "Bearer " + KEY)
        ticket = made.json["id"]
        paying = d.post("/tickets/%s/pay" % ticket)
        tap.equal(paying.status, 200, paying)
        tap.equal(d.state(ticket), "unpaid")
        d.linli_ok("trigger", "payment.paid", paying.json["payment_id"],
                   "--times", "3")
        wait_until(lambda: d.state(ticket) == "paid")
        wait_until(d.messages)
        tap.equal(d.messages(), [
            "您 %s 的门票已付款, 凭编号 %s 入场" % (DAY, ticket)])


def test_a_museum_that_is_closed_says_so():
    with Outside({"/prices/" + DAY: answer(503)}) as there, \
            Museum(there) as d:
        made = d.post("/tickets", {"day": DAY})
        tap.equal((made.status, made.code), (503, "tickets/museum-closed"))


def test_tickets_are_ones_own():
    with prices() as there, Museum(there) as d:
        ticket = d.post("/tickets", {"day": DAY}).json["id"]
        other = d.post("/tickets/%s/pay" % ticket, as_="resident:li")
        tap.equal((other.status, other.code), (404, "tickets/not-found"))


if __name__ == "__main__":
    tap.main()
