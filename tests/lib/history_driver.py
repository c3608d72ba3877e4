"""tests/lib/history_driver.py: many clients of one linlid, in one thread.

Plays histories: COLLECTIONS of them at a time, each client on a connection of
its own, raw HTTP/1.1, so that the daemon is what is slow. Between two answers
linlid or a worker may be killed; then what was not answered is sent again
under its key, as clients do.
"""

import os
import random
import select
import signal
import time

from histories import COLLECTIONS, PLUGIN, Sent
from history_model import text_of

SILENCE_S = 60
CRASHES_MAX = 4  # within a minute; one more opens the breaker


class Client:
    """A connection that sends the transactions of one client in order."""

    def __init__(self, slot, number, todo):
        self.slot, self.number = slot, number
        self.todo = list(reversed(todo))
        self.now = None      # what is on its way
        self.request = None  # its bytes
        self.tries = []      # when they were sent, ns
        self.socket = None
        self.data = b""

    def next(self, player):
        """Send the next transaction."""
        route, script = self.todo.pop()
        self.now = Sent(self.number, route, script)
        self.request = player.request(self)
        self.tries = []
        self.send(player)

    def send(self, player):
        """Send, or send again, what is on its way."""
        if self.socket is None:
            self.socket = player.daemon.socket()
            player.watch(self)
        self.now.epoch = player.epoch
        self.tries.append(time.monotonic_ns())
        self.socket.sendall(self.request)

    def receive(self):
        """Take what has come; the transaction if it is answered now."""
        try:
            data = self.socket.recv(262144)
        except ConnectionResetError:
            data = b""
        if not data:
            raise EOFError
        self.data += data
        head, end, rest = self.data.partition(b"\r\n\r\n")
        if not end:
            return None
        lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        headers = {name.lower(): value for name, value in headers.items()}
        size = int(headers["content-length"])
        if len(rest) < size:
            return None
        done, self.now = self.now, None
        done.sent, done.answered = self.tries[-1], time.monotonic_ns()
        done.answer = int(lines[0].split()[1]), headers, rest[:size]
        self.data = rest[size:]
        return done

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket, self.data = None, b""


class Slot:
    """A collection, and the history that has it."""

    def __init__(self, name, history):
        self.name, self.history = name, history
        clients = history.clients
        self.first, self.last = clients[-1]
        self.clients = [Client(self, i, todo)
                        for i, todo in enumerate(clients[:-1])]
        self.edge = Client(self, len(clients) - 1, [self.first, self.last])

    def begin(self, player):
        self.edge.next(player)

    def go_on(self, client, player):
        """A client has its answer; True when the history is over."""
        if client is not self.edge:
            if client.todo:
                client.next(player)
        elif not client.todo:
            return True
        else:
            for other in self.clients:
                other.next(player)
        if all(c.now is None and not c.todo for c in self.clients) \
                and self.edge.now is None:
            self.edge.next(player)
        return False

    def everybody(self):
        return self.clients + [self.edge]


class Player:
    """Plays histories on a daemon; `enable` puts the plugin there."""

    def __init__(self, daemon, enable, seed=0, kills=None, every=1500):
        self.daemon, self.enable = daemon, enable
        self.rng = random.Random(seed)
        self.kills = kills or [None]  # one of these in turn: "linlid",
        self.every = every            # "worker"; about so many answers
        self.crashes = 0              # of workers, in this life of linlid
        self.epoch = 0
        self.bases = []  # the last number that each kill left
        self.answers = self.replayed = self.left = 0
        self.killed = {"linlid": 0, "worker": 0}
        self.serial = 0
        self.begin()

    def begin(self):
        """To a linlid that has just started."""
        self.enable()
        self.crashes = 0
        self.epoll = select.epoll()
        self.by_fd = {}
        self.head = ("POST /v1/c/demo/%s/%%s HTTP/1.1\r\nHost: t\r\n"
                     "Authorization: Bearer %s\r\n"
                     "Content-Type: application/json\r\n%%sContent-Length: %%d"
                     "\r\n\r\n" % (PLUGIN, self.daemon.token("resident:r1")))

    def watch(self, client):
        self.by_fd[client.socket.fileno()] = client
        self.epoll.register(client.socket.fileno(), select.EPOLLIN)

    def request(self, client):
        """The bytes of what the client has on its way."""
        now = client.now
        self.serial += 1
        now.serial = self.serial
        body = text_of(dict(now.script, docs=client.slot.name,
                            serial=now.serial)).encode()
        key = ""
        if now.route == "run" or now.route == "peek":
            key = "Idempotency-Key: %d\r\n" % now.serial
        return (self.head % (now.route, key, len(body))).encode() + body

    # -- playing --

    def play(self, histories):
        """Yields each history when it is over."""
        histories = iter(histories)
        free = ["c%02d" % i for i in reversed(range(COLLECTIONS))]
        self.slots = set()
        self.left = self.rng.randrange(self.every, 2 * self.every)
        while True:
            while free:
                history = next(histories, None)
                if history is None:
                    break
                slot = Slot(free.pop(), history)
                self.slots.add(slot)
                slot.begin(self)
            if not self.slots:
                return
            for slot in self.turn():
                free.append(slot.name)
                self.slots.discard(slot)
                yield slot.history

    def turn(self):
        """Handle what has come; the slots whose histories are over."""
        over = []
        events = self.epoll.poll(SILENCE_S)
        if not events:
            raise AssertionError("linlid says nothing for %d s" % SILENCE_S)
        for fd, _ in events:
            client = self.by_fd[fd]
            done = client.receive()
            if done is not None and self.take(client, done):
                over.append(client.slot)
        if self.left <= 0:
            self.left = self.rng.randrange(self.every, 2 * self.every)
            over += self.kill(self.rng.choice(self.kills))
        return over

    def take(self, client, done):
        """An answer has come; True if its history is over."""
        self.answers += 1
        self.left -= 1
        if done.answer[1].get("idempotency-replayed") == "true":
            # It happened at the first try, or at another before a kill.
            number = int(done.answer[1]["linli-commit"])
            done.sent = client.tries[0]
            done.epoch = sum(base < number for base in self.bases)
            self.replayed += 1
        client.slot.history.sent.append(done)
        if not client.slot.go_on(client, self):
            return False
        for other in client.slot.everybody():
            self.forget(other)
        return True

    def forget(self, client):
        if client.socket is not None:
            self.epoll.unregister(client.socket.fileno())
            del self.by_fd[client.socket.fileno()]
        client.close()

    # -- killing --

    def kill(self, what):
        """kill -9 in mid-flight; the slots that this ended."""
        if what == "worker" and self.crashes < CRASHES_MAX:
            os.kill(self.rng.choice(self.daemon.workers()), signal.SIGKILL)
            self.killed["worker"] += 1
            self.crashes += 1
        if what != "linlid":
            return []
        self.daemon.kill()
        self.killed["linlid"] += 1
        answered = self.last_words()
        for client in list(self.by_fd.values()):
            self.forget(client)
        self.daemon.restart()
        self.begin()
        self.epoch += 1
        self.bases.append(self.base())
        for slot in self.slots:
            for client in slot.everybody():
                if client.now is not None:
                    client.send(self)
        return [client.slot for client, done in answered
                if self.take(client, done)]

    def last_words(self):
        """What was answered before the end, and not read yet."""
        answered = []
        for client in self.by_fd.values():
            while client.now is not None:
                try:
                    done = client.receive()
                except EOFError:
                    break
                if done is not None:
                    answered.append((client, done))
        return answered

    def events(self):
        """All that was published, (serial of the transaction, n), in order."""
        found, after = [], 0
        while True:
            page = self.daemon.http(
                "GET", "/v1/c/demo/events?limit=100&after=%d" % after,
                as_="app:test").json
            found += [(e["data"]["by"], e["data"]["n"])
                      for e in page["items"]]
            if not page["items"]:
                return found
            after = page["next_after"]

    def base(self):
        """The last number that is left."""
        answer = self.daemon.call(PLUGIN, "/look", {
            "docs": "c00", "steps": [], "status": 200})
        return int(answer.headers["linli-commit"])
