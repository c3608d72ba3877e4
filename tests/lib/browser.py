"""tests/lib/browser.py: a real Chromium, driven over WebDriver.

    from browser import Browser
    with Browser() as b:
        b.open("http://127.0.0.1:8080/")
        b.click("#agree")

Debian's chromium and chromedriver speak W3C WebDriver, which is HTTP and JSON,
so that nothing but Python's own library is needed. A test without them is
skipped, and says how to get them. What the console has said at the end of the
`with` fails the case, unless `expect` names it.
"""

import atexit
import base64
import contextlib
import http.client
import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

import tap

START_S = 60
COMMAND_S = 60
WAIT_S = 15
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver, section 12
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", "--hide-scrollbars",
         "--force-color-profile=srgb"]
KEYS = {"tab": "\ue004", "enter": "\ue007", "space": " ",
        "shift": "\ue008"}


def needed():
    """Skip the case unless a browser is there."""
    tap.skip_unless(shutil.which("chromium") and shutil.which("chromedriver"),
                    "no chromium and chromedriver: "
                    "./configure --install-deps")


_kept = []


@contextlib.contextmanager
def shared(expect=()):
    """A browser that the cases of a program have in turn: it starts slowly.

    Nothing of one case is left to the next but that it is warm.
    """
    if not _kept:
        one = Browser()
        one.__enter__()
        atexit.register(one.__exit__, SystemExit, None, None)
        _kept.append(one)
    b = _kept[0]
    b.expect = expect
    b.resize(390, 844)
    try:
        yield b
    except BaseException:
        tap.comment(b.text("body"))
        raise
    finally:
        said = b.console()
        b.command("POST", "url", {"url": "about:blank"})
    b.judge(said)


class Failed(AssertionError):
    """What WebDriver refused: its error, and the message."""

    def __init__(self, error, message):
        super().__init__("%s: %s" % (error, message))
        self.error = error


class Browser:
    """One Chromium with one window."""

    def __init__(self, expect=()):
        needed()
        self.expect = expect
        self.driver = None
        self.session = None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="linli-browser-")
        try:
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.check_console()
            elif self.session and kind is not SystemExit:
                tap.comment(self.text("body"))
        finally:
            self._end()
        return False

    def _start(self):
        env = dict(os.environ, HOME=self.folder, TMPDIR=self.folder)
        self.driver = subprocess.Popen(
            [shutil.which("chromedriver"), "--port=0"], env=env,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, start_new_session=True)
        self.port = self._read_port()
        options = {"binary": shutil.which("chromium"),
                   "args": FLAGS + ["--user-data-dir=%s/profile"
                                    % self.folder]}
        made = self._send("POST", "/session", {"capabilities": {
            "alwaysMatch": {"browserName": "chrome",
                            "goog:chromeOptions": options,
                            "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = made["sessionId"]
        self.resize(390, 844)

    def _read_port(self):
        end, seen = time.monotonic() + START_S, b""
        stream = self.driver.stdout
        while time.monotonic() < end:
            if not select.select([stream], [], [], 0.2)[0]:
                continue
            piece = os.read(stream.fileno(), 4096)
            if not piece:
                break
            seen += piece
            found = re.search(rb"successfully on port (\d+)", seen)
            if found:
                return int(found.group(1))
        raise AssertionError("chromedriver did not start: %r" % seen)

    def _end(self):
        if self.session:
            try:
                self._send("DELETE", "/session/" + self.session, None)
            except (OSError, AssertionError):
                pass  # it has gone; its group ends below
            self.session = None
        if self.driver:
            try:
                os.killpg(self.driver.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.driver.wait()
            self.driver.stdout.close()
            self.driver = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def _send(self, method, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=COMMAND_S)
        try:
            connection.request(
                method, path, None if body is None else json.dumps(body),
                {"Content-Type": "application/json"})
            answer = connection.getresponse()
            value = json.loads(answer.read())["value"]
        finally:
            connection.close()
        if answer.status != 200:
            raise Failed(value["error"], value["message"])
        return value

    def command(self, method, path, body=None):
        """A command of the session."""
        if method == "POST" and body is None:
            body = {}
        return self._send(method, "/session/%s/%s" % (self.session, path),
                          body)

    def cdp(self, name, **values):
        """A command of the DevTools protocol."""
        return self.command("POST", "goog/cdp/execute",
                            {"cmd": name, "params": values})

    # -- the window --------------------------------------------------------

    def open(self, url):
        """Go there anew, even if only the fragment differs."""
        self.command("POST", "url", {"url": "about:blank"})
        self.command("POST", "url", {"url": url})

    @property
    def url(self):
        """The address now."""
        return self.command("GET", "url")

    def resize(self, width, height=800):
        """A telephone of that many CSS pixels."""
        self.cdp("Emulation.setDeviceMetricsOverride", width=width,
                 height=height, deviceScaleFactor=1, mobile=True)

    def run(self, script, *values):
        """What a function body returns; `arguments` has the values."""
        return self.command("POST", "execute/sync",
                            {"script": script, "args": list(values)})

    def picture(self, path):
        """The whole page as a PNG file."""
        size = self.run("return [document.documentElement.scrollWidth,"
                        "document.documentElement.scrollHeight];")
        shot = self.cdp("Page.captureScreenshot", captureBeyondViewport=True,
                        clip={"x": 0, "y": 0, "width": size[0],
                              "height": size[1], "scale": 1})
        with open(path, "wb") as f:
            f.write(base64.b64decode(shot["data"]))

    # -- elements ----------------------------------------------------------

    def find(self, css):
        """The elements that fit now."""
        return self.command("POST", "elements",
                            {"using": "css selector", "value": css})

    def wait(self, css, text=None, timeout_s=WAIT_S):
        """The first that fits and contains text, once it is seen."""
        end = time.monotonic() + timeout_s
        while True:
            try:
                for element in self.find(css):
                    at = "element/%s/" % element[ELEMENT]
                    if self.command("GET", at + "displayed") and (
                            text is None
                            or text in self.command("GET", at + "text")):
                        return element
            except Failed as e:
                if e.error != "stale element reference":
                    raise
            if time.monotonic() > end:
                raise AssertionError("no %s with %r in: %s" % (
                    css, text, self.text("body")))
            time.sleep(0.05)

    def click(self, css, text=None):
        """Press the first that is seen, where it is seen."""
        element = self.wait(css, text)
        self.command("POST", "element/%s/click" % element[ELEMENT])

    def text(self, css):
        """What the first that fits says, as it is seen."""
        found = self.find(css)
        return self.command("GET", "element/%s/text" % found[0][ELEMENT]) \
            if found else ""

    def press(self, *keys):
        """Press keys, the last while the others are held."""
        down = [{"type": "keyDown", "value": KEYS[k]} for k in keys]
        up = [{"type": "keyUp", "value": KEYS[k]} for k in reversed(keys)]
        self.command("POST", "actions", {"actions": [
            {"type": "key", "id": "keys", "actions": down + up}]})

    def label(self, element):
        """Its accessible name, computed by the browser."""
        return self.command("GET", "element/%s/computedlabel"
                            % element[ELEMENT])

    def role(self, element):
        """Its accessible role, computed by the browser."""
        return self.command("GET", "element/%s/computedrole"
                            % element[ELEMENT])

    def console(self):
        """What the console has said since the last time."""
        return [line["message"] for line in self.command(
            "POST", "se/log", {"type": "browser"})]

    def check_console(self):
        """Fail with what the console said and nobody expected."""
        self.judge(self.console())

    def judge(self, said):
        """Fail with lines of the console that nobody expected."""
        bad = [m for m in said
               if not any(e in m for e in self.expect)]
        tap.equal(bad, [], "console")
