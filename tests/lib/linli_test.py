"""tests/lib/linli_test.py: a live linlid for scenarios.

    from linli_test import Daemon, plugin_folder
    import tap

    def test_hello():
        with Daemon() as d:
            d.enable(d.source("examples/hello-lua"), community="demo")
            answer = d.http("GET", "/v1/c/demo/hello/", as_="resident:r1")
            tap.equal(answer.status, 200)

Every Daemon has a temporary data directory and a free port, is stopped with
SIGTERM, must exit with 0 and must leave no process behind; when the body of
the `with` fails, its log is printed. Uses only the fixed interfaces: the
ready line, `linli`, HTTP.
"""

import contextlib
import http.client
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

import tap

START_S = 20        # exec to the ready line; sanitizers are slow
STOP_S = 20         # SIGTERM to exit: the drain limit and some air
HTTP_S = 30         # one request, past every wall limit of the tests
REPLAY_S = 300      # all the traces of one daemon
COMMAND_S = 30      # one run of `linli`
LOG_TAIL_BYTES = 16384
OUTPUT_TAIL_BYTES = 8192


class Answer:
    """One HTTP answer: status, headers (lower-case names), body bytes."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def text(self):
        """The body as text."""
        return self.body.decode("utf-8")

    @property
    def json(self):
        """The body parsed as JSON; a body that is none fails the case."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise AssertionError("not JSON (status %d): %r"
                                 % (self.status, self.body[:500]))

    @property
    def code(self):
        """The problem code of a problem+json answer, or None."""
        kind = self.headers.get("content-type", "")
        if not kind.startswith("application/problem+json"):
            return None
        return self.json.get("code")

    def __repr__(self):
        return "<Answer %d %r>" % (self.status, self.body[:300])


class Run:
    """A finished command: exit status, stdout, stderr."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        """stdout parsed as JSON."""
        try:
            return json.loads(self.out)
        except ValueError:
            raise AssertionError("not JSON: %r (stderr %r)"
                                 % (self.out, self.err))

    def __repr__(self):
        return "<Run %d out=%r err=%r>" % (self.code, self.out, self.err)


def program(name):
    """The absolute path of a program in the build folder."""
    return os.path.join(tap.build_folder(), name)


def run(arguments, timeout_s=COMMAND_S, stdin=None, env=None, cwd=None):
    """Run a command to its end; never raises for a non-zero exit."""
    done = subprocess.run(arguments, input=stdin, timeout=timeout_s, cwd=cwd,
                          stdin=None if stdin is not None
                          else subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=env, text=True, check=False)
    return Run(done.returncode, done.stdout, done.stderr)


def processes():
    """{pid: (parent, group, state)} of all processes, from /proc."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open("/proc/%s/stat" % name, encoding="utf-8",
                      errors="replace") as f:
                rest = f.read().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue  # it ended while we looked
        found[int(name)] = (int(rest[1]), int(rest[2]), rest[0])
    return found


def descendants(pid):
    """The pids below pid, however deep, zombies left out."""
    table, below, todo = processes(), [], [pid]
    while todo:
        parent = todo.pop()
        for child, (its_parent, _, state) in table.items():
            if its_parent == parent and state != "Z":
                below.append(child)
                todo.append(child)
    return sorted(below)


def wait_until(condition, timeout_s=5.0, step_s=0.02):
    """Poll until condition() is true; its last value, true or not."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value or time.monotonic() >= end:
            return value
        time.sleep(step_s)


@contextlib.contextmanager
def temporary_folder():
    """A new folder that is removed afterwards; only its owner may enter."""
    path = tempfile.mkdtemp(prefix="linli-test-")
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def plugin_folder(parent, manifest, **files):
    """Write a plugin folder below parent; returns its path.

    manifest is a dict; files are name=text, with "__" for "." in names
    (main__lua="return {}"), or given as a dict `files={"a/b.lua": "…"}`.
    """
    folder = os.path.join(parent, manifest["id"])
    os.makedirs(folder, exist_ok=True)
    named = dict(files.pop("files", {}))
    named.update({k.replace("__", "."): v for k, v in files.items()})
    named["plugin.json"] = json.dumps(manifest)
    for name, content in named.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        mode = "wb" if isinstance(content, bytes) else "w"
        with open(path, mode, encoding=None if "b" in mode
                  else "utf-8") as f:
            f.write(content)
    return folder


def probe_manifest(plugin_id="probe", **changes):
    """The smallest manifest of a Lua plugin, with changes laid over it."""
    manifest = {"id": plugin_id, "version": "1.0.0", "abi": 1,
                "runtime": "lua", "main": "main.lua",
                "routes": [{"method": "POST", "path": "/run",
                            "caller": ["resident"], "safe": True}]}
    manifest.update(changes)
    return manifest


class Daemon:
    """A running linlid; use it in a `with`.

    options: more command line words, e.g. ["--demo=on"].
    config: a dict written to a file and given as --config.
    mode, plugins: --mode and --plugins; plugins=None leaves it out.
    data: an existing data directory to use and keep.
    allow_exit: do not check the exit status at the end.
    audited: at the end, fold its log of consent again; nothing in it may
        stand without what allowed it.
    env: what is added to the environment of linlid.
    """

    def __init__(self, options=(), config=None, mode="development",
                 plugins=None, data=None, community="demo",
                 allow_exit=False, env=None, audited=True):
        self.env = dict(os.environ, **(env or {}))
        self.options = list(options)
        self.config = config
        self.mode = mode
        self.plugins = plugins
        self.given_data = data
        self.community = community
        self.allow_exit = allow_exit
        self.audited = audited
        self.process = None
        self.ready = None
        self.tokens = {}
        self.traces = []

    # -- life --------------------------------------------------------------

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="linli-test-")
        try:
            self.start()
        except BaseException:
            self._kill()
            self.print_log()
            self._remove()
            raise
        return self

    def __exit__(self, kind, value, trace):
        failed = kind is not None and kind is not tap.Skip
        try:
            if self.process is not None:
                self.stop(check=not failed and not self.allow_exit)
            if not failed:
                self.replay()
                self.audit()
        except BaseException:
            failed = True
            raise
        finally:
            self._kill()
            if failed:
                self.print_log()
            self._remove()
        return False

    def command_line(self):
        """The words that start linlid."""
        words = [program("linlid"), "--mode=" + self.mode,
                 "--data=" + self.data, "--listen=127.0.0.1:0"]
        if self.plugins is not None:
            words.append("--plugins=" + self.plugins)
        if self.config is not None:
            path = os.path.join(self.folder, "linli.conf.json")
            with open(path, "w", encoding="utf-8") as f:
                json.dump(self.config, f)
            words.append("--config=" + path)
        if os.environ.get("LINLI_TEST_RECORD") and \
                self.mode == "development":
            # Each start has a folder of its own; all of it is replayed.
            self.traces.append(tempfile.mkdtemp(dir=self.folder))
            words.append("--record=" + self.traces[-1])
        return words + self.options

    def replay(self):
        """Replay all that was recorded with LINLI_TEST_RECORD set.

        The environment's value is a file that gets a line for each trace:
        same, how it ended, and the plugin. A difference fails the case.
        """
        for folder in self.traces:
            if not os.listdir(folder):
                continue
            done = run([program("linli"), "replay", "--json", folder],
                       timeout_s=REPLAY_S)
            items = done.json["items"]
            with open(os.environ["LINLI_TEST_RECORD"], "a",
                      encoding="utf-8") as f:
                for item in items:
                    f.write("%s\n" % json.dumps(item))
            bad = [i for i in items if not i.get("same")]
            if bad:
                raise AssertionError("%d of %d traces differ: %s" % (
                    len(bad), len(items), json.dumps(bad[0], indent=1)))

    def audit(self):
        """Fold the log of consent again, as an auditor would."""
        if not self.audited or not os.path.exists(
                os.path.join(self.data, "linli.db")):
            return
        done = run([program("linli"), "audit", "replay", "--data", self.data,
                    "--json"], timeout_s=REPLAY_S)
        if done.code != 0 and "log/none" not in done.err:
            raise AssertionError("its log of consent: " + done.err)

    def start(self):
        """Start linlid and wait for its ready line."""
        self.data = self.given_data or os.path.join(self.folder, "data")
        self.output_path = os.path.join(self.folder, "stderr")
        self.tokens = {}
        with open(self.output_path, "ab") as errors:
            self.process = subprocess.Popen(
                self.command_line(), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=errors, env=self.env)
        self.ready = self._read_ready()
        parts = urllib.parse.urlsplit(self.ready["url"])
        self.host, self.port = parts.hostname, parts.port

    def _read_ready(self):
        """The ready line, which is the first line on stdout that is JSON."""
        end, seen = time.monotonic() + START_S, b""
        stream = self.process.stdout
        while time.monotonic() < end:
            left = max(0.0, end - time.monotonic())
            if not select.select([stream], [], [], min(left, 0.2))[0]:
                continue
            piece = os.read(stream.fileno(), 65536)
            if not piece:
                code = self.process.wait(timeout=STOP_S)
                raise AssertionError("linlid ended with %d before it was "
                                     "ready: %r" % (code, seen))
            seen += piece
            for line in seen.split(b"\n")[:-1]:
                if line.startswith(b"{"):
                    return json.loads(line)
        raise AssertionError("no ready line in %d s: %r" % (START_S, seen))

    def stop(self, signal_number=signal.SIGTERM, check=True):
        """Ask linlid to drain; returns its exit status.

        With check, a status other than 0 and any process that it leaves
        behind fail the case.
        """
        if self.process is None:
            return None
        workers = descendants(self.process.pid)
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        try:
            code = self.process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            raise AssertionError("linlid did not end within %d s of signal "
                                 "%d" % (STOP_S, signal_number))
        self.process.stdout.close()
        self.process = None
        left = wait_until(lambda: not self._alive(workers), 5.0)
        if check:
            tap.equal(code, 0, "exit status of linlid")
            if not left:
                raise AssertionError("processes left behind: %r"
                                     % self._alive(workers))
        return code

    @staticmethod
    def _alive(pids):
        table = processes()
        return [p for p in pids if p in table and table[p][2] != "Z"]

    def kill(self):
        """kill -9, as a power cut would; returns the exit status."""
        self.process.kill()
        code = self.process.wait(timeout=STOP_S)
        self.process.stdout.close()
        self.process = None
        return code

    def restart(self):
        """Start again on the same data, after stop() or kill()."""
        self.given_data = self.data
        self.start()

    def _kill(self):
        """Nothing of this daemon outlives the case, whatever happened."""
        if self.process is None:
            return
        pids = [self.process.pid] + descendants(self.process.pid)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(timeout=STOP_S)
        self.process.stdout.close()
        self.process = None

    def _remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def print_log(self):
        """Print the end of linlid.log and of stderr as comments."""
        paths = ((os.path.join(self.data, "linlid.log"), LOG_TAIL_BYTES),
                 (self.output_path, OUTPUT_TAIL_BYTES))
        for path, most in paths:
            with contextlib.suppress(OSError):
                with open(path, "rb") as f:
                    f.seek(max(0, os.fstat(f.fileno()).st_size - most))
                    text = f.read().decode("utf-8", "replace")
                tap.comment("-- %s" % os.path.basename(path))
                tap.comment(text)

    # -- what is seen ------------------------------------------------------

    @property
    def pid(self):
        """The pid of linlid."""
        return self.process.pid

    @property
    def url(self):
        """Its base URL, from the ready line."""
        return self.ready["url"]

    def workers(self):
        """The pids of its workers now."""
        return descendants(self.pid)

    def log_lines(self):
        """linlid.log as a list of dicts; a line that is no JSON fails."""
        with open(os.path.join(self.data, "linlid.log"),
                  encoding="utf-8") as f:
            return [json.loads(line) for line in f if line.strip()]

    def stderr(self):
        """What linlid wrote to stderr so far."""
        with open(self.output_path, encoding="utf-8",
                  errors="replace") as f:
            return f.read()

    @staticmethod
    def source(path):
        """An absolute path in the source tree."""
        return os.path.join(tap.source_folder(), path)

    @staticmethod
    def built(path):
        """An absolute path in the build folder."""
        return os.path.join(tap.build_folder(), path)

    # -- linli -------------------------------------------------------------

    def linli(self, *words, stdin=None, timeout_s=COMMAND_S):
        """Run `linli WORDS --data=…`; returns a Run."""
        return run([program("linli")] + list(words)
                   + ["--data=" + self.data], timeout_s, stdin)

    def linli_ok(self, *words, stdin=None):
        """The same; a non-zero exit fails the case."""
        done = self.linli(*words, stdin=stdin)
        if done.code != 0:
            raise AssertionError("linli %s: %r" % (" ".join(words), done))
        return done

    def token(self, as_, community=None, ttl_s=600, claims=None):
        """A bearer token for "resident:ID", "staff:ID", "operator:ID" …"""
        community = community or self.community
        key = (as_, community, ttl_s, json.dumps(claims, sort_keys=True))
        # By a clock that is set, yesterday's token may be a year old.
        if key not in self.tokens or self.ready.get("clock") == "virtual":
            words = ["token", "--as", as_, "--community", community,
                     "--ttl", str(ttl_s)]
            if claims is not None:
                words += ["--claims", json.dumps(claims)]
            self.tokens[key] = self.linli_ok(*words).out.strip()
        return self.tokens[key]

    def enable(self, folder, community=None, config=None):
        """`linli plugin enable`: returns its Run; failure fails the case."""
        return self.linli_ok(*self._enable_words(folder, community, config))

    def enable_fails(self, folder, community=None, config=None):
        """The same, expected to be refused: returns its Run."""
        done = self.linli(*self._enable_words(folder, community, config))
        if done.code == 0:
            raise AssertionError("enable of %s was not refused: %r"
                                 % (folder, done))
        return done

    def _enable_words(self, folder, community, config):
        words = ["plugin", "enable", folder,
                 "--community", community or self.community]
        if config is not None:
            path = os.path.join(self.folder, "plugin-config-%d.json"
                                % time.monotonic_ns())
            with open(path, "w", encoding="utf-8") as f:
                json.dump(config, f)
            words += ["--config", path]
        return words

    def plugins_json(self):
        """`linli plugin list --json`, parsed."""
        return self.linli_ok("plugin", "list", "--json").json

    # -- HTTP --------------------------------------------------------------

    def connect(self, timeout_s=HTTP_S):
        """A keep-alive http.client connection; the caller closes it."""
        return http.client.HTTPConnection(self.host, self.port,
                                          timeout=timeout_s)

    def http(self, method, path, body=None, headers=None, as_=None,
             community=None, key=None, timeout_s=HTTP_S, connection=None):
        """One request, one Answer.

        body: bytes or str are sent as they are; anything else as JSON.
        as_: the role and id whose token is sent ("resident:r1").
        key: an Idempotency-Key.
        connection: one from connect(), to use again.
        """
        send = dict(headers or {})
        if as_ is not None:
            send["Authorization"] = "Bearer " + self.token(as_, community)
        if key is not None:
            send["Idempotency-Key"] = key
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode("utf-8")
        names = {name.lower() for name in send}
        if body is not None and "content-type" not in names:
            send["Content-Type"] = "application/json"
        mine = connection or self.connect(timeout_s)
        try:
            mine.request(method, path, body, send)
            answer = mine.getresponse()
            content = answer.read()
        finally:
            if connection is None:
                mine.close()
        return Answer(answer.status, {k.lower(): v for k, v
                                      in answer.getheaders()}, content)

    def call(self, plugin, path, body=None, method="POST",
             as_="resident:r1", community=None, **more):
        """A request to a plugin's route: /v1/c/COMMUNITY/PLUGIN + path."""
        where = "/v1/c/%s/%s%s" % (community or self.community, plugin, path)
        return self.http(method, where, body, as_=as_, community=community,
                         **more)

    def raw(self, data, timeout_s=5.0, shut=False):
        """Send bytes on a new socket; all that comes back until the peer
        closes or is silent for timeout_s."""
        with self.socket(timeout_s) as s:
            if data:
                s.sendall(data)
            if shut:
                s.shutdown(socket.SHUT_WR)
            return read_all(s)

    def socket(self, timeout_s=5.0):
        """A connected TCP socket; the caller closes it."""
        return socket.create_connection((self.host, self.port), timeout_s)


def read_all(s):
    """What a socket sends until it closes, resets or times out."""
    pieces = []
    while True:
        try:
            piece = s.recv(65536)
        except (socket.timeout, ConnectionResetError):
            break
        if not piece:
            break
        pieces.append(piece)
    return b"".join(pieces)


def statuses(raw):
    """The status codes of the HTTP/1.1 answers in raw bytes, in order."""
    return [int(part[:3]) for part in raw.split(b"HTTP/1.1 ")[1:]]


def shop_in_c(parent):
    """The shop in C, a plugin folder: the same manifest, and an object."""
    with open(Daemon.source("tests/plugins/shop/plugin.json"),
              encoding="utf-8") as f:
        manifest = json.load(f)
    manifest.update(runtime="native", main="shop.so")
    with open(os.path.join(program("plugins-c"), "shop.so"), "rb") as f:
        return plugin_folder(parent, manifest, files={"shop.so": f.read()})


def failing_start(options, data=None, mode="development"):
    """Start linlid with options that it must refuse; returns its Run.

    A start that is not refused within START_S fails the case.
    """
    with temporary_folder() as folder:
        words = [program("linlid"), "--mode=" + mode,
                 "--data=" + (data or os.path.join(folder, "data"))]
        if not any(o.startswith("--listen") for o in options):
            words.append("--listen=127.0.0.1:0")
        try:
            done = run(words + list(options), START_S)
        except subprocess.TimeoutExpired:
            raise AssertionError("not refused: %r" % (options,))
        if done.code == 0:
            raise AssertionError("ended with 0: %r %r" % (options, done))
        return done


def main():
    """Run the calling program's cases; see tap.main."""
    tap.main()


if __name__ == "__main__":
    sys.exit("this is a library: run a file of tests/scenario")
