"""tests/lib/outside.py: a server outside, that behaves as a path says.

    with Outside({"/hello": answer(200, {"a": 1})}) as there:
        ... there.address ...            # "127.0.0.1:PORT"
        there.requests[0].headers["host"]

What is served: bytes, written and the connection closed; or a function of the
connection's file, called with the request and it, which writes as it likes
until the other side is gone.
"""

import json
import os
import socket
import ssl
import subprocess
import threading
import time


class Request:
    """What came: method, path, headers (names in small letters), body."""

    def __init__(self, method, path, headers, body):
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body


def answer(status, body=None, **headers):
    """The bytes of an answer; a body that is no bytes is JSON."""
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers.setdefault("Content_Type", "application/json")
    lines = ["HTTP/1.1 %d Said" % status,
             "Content-Length: %d" % len(body or b"")]
    lines += ["%s: %s" % (name.replace("_", "-"), value)
              for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")


def silent(_request, file):
    """Says nothing until the other side goes."""
    file.read(1)


def endless(head, piece):
    """Writes `piece` after `head` until the other side goes."""
    def go(_request, file):
        file.write(head)
        while True:
            file.write(piece)
            file.flush()
    return go


class Outside:
    """The server; paths may be added to `paths` while it runs."""

    def __init__(self, paths, certificate=None):
        self.paths = dict(paths)
        self.requests = []
        self.connections = 0
        self.tls = None
        if certificate is not None:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*certificate)

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.port = self.socket.getsockname()[1]
        self.open = []
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.close()
        for one in self.open:
            one.close()
        return False

    def _accept(self):
        while True:
            try:
                one, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(one,),
                             daemon=True).start()

    def _serve(self, one):
        try:
            if self.tls is not None:
                one = self.tls.wrap_socket(one, server_side=True)
            self.open.append(one)
            with one, one.makefile("rwb") as file:
                self._answer(file)
        except (OSError, ValueError):
            pass  # the other side is gone: its affair

    def _answer(self, file):
        method, path, _ = file.readline().decode().split(" ", 2)
        headers = {}
        for line in iter(file.readline, b"\r\n"):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = file.read(int(headers.get("content-length", 0)))
        request = Request(method, path, headers, body)
        self.requests.append(request)
        served = self.paths.get(path.partition("?")[0], answer(404))
        if callable(served):
            served(request, file)
        else:
            file.write(served)


def later(seconds, served):
    """The same after a while."""
    def go(_request, file):
        time.sleep(seconds)
        file.write(served)
    return go


def certificate(folder, host):
    """(chain, key) for a host, signed by itself; None without openssl."""
    paths = [os.path.join(folder, host + end) for end in (".pem", ".key")]
    try:
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", "/CN=" + host, "-addext", "subjectAltName=DNS:" + host,
             "-out", paths[0], "-keyout", paths[1]],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        return None
    return tuple(paths)
