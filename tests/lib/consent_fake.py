"""tests/lib/consent_fake.py: the consent API as the pages know it, in memory.

    with Fake(daemon.url) as fake:
        browser.open(fake.url + "/v1/c/demo/consent/hello#token=T")

Answers /v1/c/demo/me/... itself and fetches everything else from linlid, so
that the pages are linlid's own. For what a live API does not do on demand: an
answer that never comes, an expired token, a text that is torn.
"""

import http.client
import http.server
import json
import threading
import time
import urllib.parse

TOKEN = "t0ken.of-a_resident"
DAY_MS = 86400000


def both(zh, en):
    """A text in the two languages."""
    return {"zh-CN": zh, "en": en}


FIELDS = {
    "plate": (both("车牌号", "licence plate"), "C2"),
    "heart_rate": (both("心率", "heart rate"), "C3"),
    "phone_relay": (both("转接电话", "relayed phone call"), "C2"),
    "address": (both("住址", "home address"), "C2"),
}
PURPOSES = {
    "service": both("办理您要的服务", "Provide the service you asked for"),
    "safety_monitoring": both("关注您的安全", "Look after your safety"),
    "delivery": both("送货上门", "Deliver to your door"),
    "family_notice": both("通知家人", "Tell your family"),
}
WHY = both("车到门口时认出您的车，自动抬杆。",
           "To know your car at the gate and lift the barrier.")
WITHOUT = both("进出时要按铃，由门岗抬杆。",
               "You ring at the gate and the guard lifts the barrier.")


def ask(field, purpose, basis="consent", **changes):
    """One item of GET me/asks."""
    name, kind = FIELDS[field]
    item = {"field": field, "field_name": name, "class": kind,
            "purpose": purpose, "purpose_text": PURPOSES[purpose],
            "basis": basis,
            "level": "separate" if basis == "separate_consent" else "general",
            "required": False, "why": WHY, "without": WITHOUT, "days": 365,
            "once": False, "state": "none", "grant": None, "may_ask": True,
            "ask_again_at": None}
    item.update(changes)
    return item


def instant(ms):
    """RFC 3339 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms / 1000)) + \
        ".%03dZ" % (ms % 1000)


class Fake:
    """The API of one resident; what it knows may be changed at any time.

    asks: the items of the sheet. head: what stands beside them.
    trouble: [(method, path part, what)]: the next request that fits gets
    `what`: a (status, code), or "silence", and it is used up.
    seen: [(method, path, query, body, key)] of all that came.
    """

    def __init__(self, behind):
        parts = urllib.parse.urlsplit(behind)
        self.behind = (parts.hostname, parts.port)
        self.name = both("停车", "Parking")
        self.asks = [ask("plate", "service")]
        self.head = {"vendor": "", "relation": "entrust", "recipient": None,
                     "elder": False, "guardian_required": False,
                     "may_decide": True}
        self.grants, self.reads, self.requests = [], [], []
        self.guardians, self.wards, self.objections = [], [], []
        self.trouble, self.seen, self.kept = [], [], {}
        self.name_of = {"mama": "王阿姨"}
        self.token = TOKEN

    def __enter__(self):
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One request."""
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                """Nothing is printed."""

            def do_GET(self):
                """Any method."""
                fake.serve(self)
            do_POST = do_DELETE = do_GET

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        self.server.daemon_threads = True
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    # -- one request -------------------------------------------------------

    def serve(self, handler):
        """Answer, or pass on to linlid."""
        length = int(handler.headers.get("content-length", 0))
        body = handler.rfile.read(length)
        parts = urllib.parse.urlsplit(handler.path)
        prefix = "/v1/c/demo/me/"
        if not parts.path.startswith(prefix):
            self.pass_on(handler)
            return
        query = urllib.parse.parse_qs(parts.query)
        key = handler.headers.get("idempotency-key")
        content = json.loads(body) if body else None
        path = parts.path[len(prefix):]
        self.seen.append((handler.command, path, query, content, key))
        for one in self.trouble:
            if one[0] == handler.command and one[1] in path:
                self.trouble.remove(one)
                if one[2] == "silence":
                    handler.close_connection = True
                    return
                if one[2] == "late silence":
                    self.answer(handler.command, path, query, content, key)
                    handler.close_connection = True
                    return
                self.problem(handler, *one[2])
                return
        if handler.headers.get("authorization") != "Bearer " + self.token:
            self.problem(handler, 401, "auth/expired")
            return
        status, answer = self.answer(handler.command, path, query, content,
                                     key)
        self.send(handler, status, "application/json", json.dumps(answer))

    @staticmethod
    def send(handler, status, kind, text, more=()):
        """One answer."""
        data = text.encode() if isinstance(text, str) else text
        handler.send_response(status)
        for name, value in [("content-type", kind),
                            ("content-length", str(len(data)))] + list(more):
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    def problem(self, handler, status, code):
        """A problem, as linlid has them."""
        self.send(handler, status, "application/problem+json", json.dumps(
            {"type": "about:blank", "title": "title", "status": status,
             "code": code, "retryable": False}))

    def pass_on(self, handler):
        """What is not the API's comes from linlid."""
        behind = http.client.HTTPConnection(*self.behind, timeout=30)
        behind.request("GET", handler.path, headers={
            name: handler.headers[name] for name in
            ("accept-language", "if-none-match") if name in handler.headers})
        answer = behind.getresponse()
        data = answer.read()
        more = [(n, v) for n, v in answer.getheaders() if n.lower() not in (
            "content-type", "content-length", "connection", "date")]
        self.send(handler, answer.status,
                  answer.getheader("content-type") or "text/plain", data,
                  more)
        behind.close()

    # -- what is known -----------------------------------------------------

    def answer(self, method, path, query, content, key):
        """(status, body) of a request that is well."""
        if method != "GET":
            assert key, "no Idempotency-Key"
            if key not in self.kept:
                self.kept[key] = self.change(method, path, query, content)
            return self.kept[key]
        if path == "asks":
            return 200, self.answer_asks(query)
        if path == "fields":
            return 200, {"items": [{"field": "display_name",
                                    "value": self.name_of[query["for"][0]]}]}
        lists = {"consents": self.grants, "access-log": self.reads,
                 "requests": self.requests, "guardians": self.guardians,
                 "wards": self.wards, "objections": self.objections}
        if path in lists:
            items = lists[path]
            if "plugin" in query:
                items = [i for i in items if i["plugin"] == query["plugin"][0]]
            at = int(query.get("cursor", ["0"])[0])
            more = at + 3 < len(items)
            return 200, {"items": items[at:at + 3],
                         "next": str(at + 3) if more else None}
        return 404, {"code": "request/not-found"}

    def answer_asks(self, query):
        """The sheet's items that were asked for; all without `item`."""
        wanted = query.get("item")
        items = [i for i in self.asks if not wanted or
                 "%s:%s" % (i["field"], i["purpose"]) in wanted]
        return dict(self.head, plugin="hello", plugin_name=self.name,
                    text_version="v1", items=items)

    def change(self, method, path, query, content):
        """(status, body) of an act."""
        now = int(time.time() * 1000)
        if path == "objections":
            self.objections[:] = [] if method == "DELETE" else \
                [{"objection": "block", "plugin": None}]
            return 200, {}
        if path == "requests":
            made = {"id": "r%d" % len(self.requests), "kind": content["kind"],
                    "state": "open", "at": instant(now),
                    "due_at": instant(now + 15 * DAY_MS)}
            self.requests.insert(0, made)
            return 201, made
        if method == "DELETE":
            grant = path.split("/")[1]
            for one in self.grants:
                if one["id"] == grant:
                    one["state"] = "withdrawn"
            for one in self.asks:
                if one["grant"] == grant:
                    one.update(state="withdrawn", grant=None)
            return 200, {"id": grant, "seq": 7, "withdrawn_at": instant(now)}
        item = next(i for i in self.asks if i["field"] == content["field"]
                    and i["purpose"] == content["purpose"])
        if path == "consents/refuse":
            item.update(state="refused", may_ask=False,
                        ask_again_at=instant(now + 30 * DAY_MS))
            return 200, {"id": "f1"}
        grant = "g%d" % (len(self.grants) + 1)
        item.update(state="granted", grant=grant)
        self.grants.insert(0, self.grant_of(item, grant, now))
        return 201, {"id": grant, "receipt_id": "rc-" + grant, "events": [
            {"event_time": instant(now), "event_state": "given",
             "valid_until": instant(now + item["days"] * DAY_MS)}]}

    def grant_of(self, item, grant, now):
        """A row of the centre."""
        return {"id": grant, "plugin": "hello", "plugin_name": self.name,
                "purpose": item["purpose"],
                "purpose_text": item["purpose_text"],
                "fields": [{"id": item["field"], "name": item["field_name"],
                            "class": item["class"]}],
                "basis": item["basis"], "level": item["level"],
                "state": "live", "granted_at": instant(now),
                "expires_at": instant(now + item["days"] * DAY_MS),
                "last_read_at": None, "reads": 0,
                "withdrawable": item["basis"].endswith("consent"),
                "effect": item["without"], "by": "self"}
