#!/usr/bin/env python3
"""tests/bench/bench.py: Linli and nginx with Lua on the same work.

    make bench [BENCH="--rounds 5 --seconds 5 --works quote,step"]

`GET /hello` answers 58 bytes of JSON; `POST /quote` prices a stay: 199 bytes
in, a loop over 15-minute blocks, 125 bytes out; the same price.lua behind
both. Linli bills each call: "linli" answers when the usage is on the disk,
"relaxed" before that ("ack": "relaxed"), "unbilled" keeps none ("billed":
false). `step` is a call that reads a document and writes it, durable, with an
Idempotency-Key, over 1000 documents, beside nginx's /quote; `hot` is the same
on one. Loopback, keep-alive, no pipelining; wrk with one thread on core 1, the
server and its workers on core 0. The peers take turns (A B A B), a run starts
when the machine is quiet and is repeated when something else used the
processors meanwhile; medians of the rounds are printed and, with the runs,
written to bench.json in the build folder. A ratio is the median of the rounds'
own: a machine may be faster in one minute than in the next.

What is durable waits for a disk, and disks differ tenfold: so the time of one
sync is measured and printed, and "no-disk" is "linli" with its data in memory
(/dev/shm), where a sync costs nothing: what Linli itself costs.

`consent` is no call: it is the decision about resident data alone, in
process, over 100,000 and 1,000,000 grants (bench/consent_rates). `acts` is what
a resident waits when they give and withdraw, `log` what a leaf of the log of
consent costs and a proof of it (bench/log_rates); both are consent.py. `admit`
is what it costs to admit a call by its plan (bench/admit_rates); `invoice` is
what 100,000 subscriptions' month costs to rate (bench/price_rates), and their
drafts and final invoices at one midnight (bench/invoice_rates).

CPU is user and system time of the server's process tree a request: the
steadiest figure on a busy machine. Ratios are Linli over nginx.
"""

import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
sys.dont_write_bytecode = True
import consent as consent_parts  # noqa: E402 (the path is set above)
import linli_test  # noqa: E402

SERVER_CORE, LOAD_CORE = "0", "1"
QUIET_SHARE = 0.04      # of all processors: below it the machine is quiet
QUIET_WAIT_S = 30       # then the run starts all the same, and is marked
DISTURBED_CPUS = 0.06   # processors that others used during a run
DISK_CPUS = 0.24        # and that the kernel may use for a peer's disk
TRIES = 3               # of one run, until it is undisturbed
WARM_S = 1
MEMORY = "/dev/shm"     # a file system without a disk
SYNC_BYTES, SYNCS = 16384, 300
NGINX_MODULES = ("/usr/lib/nginx/modules", "/usr/share/nginx/modules")
TICKS = os.sysconf("SC_CLK_TCK")

# wrk calls these; done() prints what we read as one line of JSON.
WRK_SCRIPT = """
%s
function done(summary, latency, requests)
    local e = summary.errors
    io.write(string.format('BENCH {"requests":%%d,"us":%%d,"p50_us":%%d,'
        .. '"p99_us":%%d,"errors":%%d}\\n', summary.requests,
        summary.duration, latency:percentile(50), latency:percentile(99),
        e.connect + e.read + e.write + e.status + e.timeout))
end
"""


# 20,000 calls a second where nginx+lua answers 86,700 /quote: processors
# differ by more than any of this, so it is aimed at as their ratio.
STEP_AIM = 0.23
CALLS = ("hello", "quote", "step", "hot")
WORKS = CALLS + ("consent", "acts", "log", "admit", "invoice")
# Of a withdrawal, which is true and on the disk when it answers.
WITHDRAW_AIM_US = 5000
# Of consent.md, in the names that consent_rates prints; the greatest allowed.
CONSENT_AIMS = {100000: {"decide_p50_ns": 100, "bytes_a_grant": 134,
                         "explain_auditor_us": 20},
                1000000: {"decide_p50_ns": 250, "decide_p99_ns": 1000,
                          "bytes_a_grant": 134, "explain_auditor_us": 20}}
# In wrk: a key of its own for each request, and one of so many documents.
KEYED = """
local sent, salt = 0, "%s"
function request()
    sent = sent + 1
    wrk.headers["Idempotency-Key"] = salt .. sent
    return wrk.format("POST", (wrk.path:gsub("ID", "k" .. sent %% %d)))
end
"""


class Peer:
    """A server under test: its name, its pid, a URL and headers, and the path
    of each work. `instead` names the work that it does beside another's;
    `disk`: it waits for one."""

    def __init__(self, name, pid, url, headers, paths, instead=None,
                 disk=False):
        self.name, self.pid, self.url = name, pid, url
        self.headers, self.paths = headers, paths
        self.instead = instead or {}
        self.disk = disk

    def tree(self):
        """The pids of the server and its workers."""
        return [self.pid] + linli_test.descendants(self.pid)

    def cpu_s(self):
        """User and system seconds of the tree so far."""
        return sum(process_cpu_s(p) for p in self.tree())


def process_cpu_s(pid):
    """User and system seconds of one process; 0 if it is gone."""
    try:
        with open("/proc/%d/stat" % pid, encoding="utf-8",
                  errors="replace") as f:
            fields = f.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def machine_busy_s():
    """Busy seconds of all processors so far."""
    with open("/proc/stat", encoding="utf-8") as f:
        fields = [int(w) for w in f.readline().split()[1:]]
    idle = fields[3] + fields[4]
    return (sum(fields[:8]) - idle) / TICKS


def wait_for_quiet(wait_s):
    """Wait until the machine is idle; False if it never was."""
    end = time.monotonic() + wait_s
    share = QUIET_SHARE * (os.cpu_count() or 1)
    while time.monotonic() < end:
        before = machine_busy_s()
        time.sleep(0.5)
        if (machine_busy_s() - before) / 0.5 < share:
            return True
    return False


def pinned(core, words):
    """A command on one core, where there are two."""
    if (os.cpu_count() or 1) < 2 or shutil.which("taskset") is None:
        return words
    return ["taskset", "-c", core] + words


def wrk(peer, what, connections, seconds, folder):
    """One load; wrk's figures, and the CPU seconds of wrk itself."""
    what = peer.instead.get(what, what)
    body = what == "quote"
    method = "GET" if what == "hello" else "POST"
    setup = 'wrk.method = "%s"\n' % method
    for name, value in peer.headers.items():
        setup += 'wrk.headers[%s] = %s\n' % (json.dumps(name),
                                             json.dumps(value))
    if body:
        with open(os.path.join(HERE, "quote", "request.json"),
                  encoding="utf-8") as f:
            setup += "wrk.body = [==[%s]==]\n" % f.read().rstrip("\n")
        setup += 'wrk.headers["Content-Type"] = "application/json"\n'
    if what in ("step", "hot"):
        setup += KEYED % ("%x-" % time.monotonic_ns(),
                          1 if what == "hot" else 1000)
    script = os.path.join(folder, "wrk.lua")
    with open(script, "w", encoding="utf-8") as f:
        f.write(WRK_SCRIPT % setup)
    before = os.times()
    done = subprocess.run(
        pinned(LOAD_CORE, ["wrk", "-t1", "-c%d" % connections,
                           "-d%ds" % seconds, "-s", script,
                           peer.url + peer.paths[what]]),
        stdout=subprocess.PIPE, text=True, check=True)
    after = os.times()
    found = re.search(r"^BENCH (\{.*\})$", done.stdout, re.M)
    if not found:
        raise SystemExit("wrk said nothing to read: %r" % done.stdout)
    used = (after.children_user + after.children_system
            - before.children_user - before.children_system)
    return json.loads(found.group(1)), used


def measure(peer, what, connections, options, folder):
    """One undisturbed run, or after TRIES one that is marked."""
    for _ in range(TRIES):
        quiet = wait_for_quiet(options.quiet_wait)
        busy, cpu, start = machine_busy_s(), peer.cpu_s(), time.monotonic()
        figures, load_cpu = wrk(peer, what, connections, options.seconds,
                                folder)
        cpu = peer.cpu_s() - cpu
        others = ((machine_busy_s() - busy - cpu - load_cpu)
                  / (time.monotonic() - start))
        if figures["errors"] or not figures["requests"]:
            raise SystemExit("%s /%s at %d connections: %d errors in %d "
                             "requests" % (peer.name, what, connections,
                                           figures["errors"],
                                           figures["requests"]))
        run = {"requests_per_s": figures["requests"] * 1e6 / figures["us"],
               "p50_us": figures["p50_us"], "p99_us": figures["p99_us"],
               "cpu_us": cpu * 1e6 / figures["requests"],
               "server_busy": cpu * 1e6 / figures["us"],
               "others_cpus": round(max(0.0, others), 3),
               "disturbed": not quiet or others > DISTURBED_CPUS
               + (DISK_CPUS if peer.disk else 0)}
        if not run["disturbed"]:
            break
    return run


def middle(runs):
    """Medians of the undisturbed runs; of all of them if there are none."""
    good = [r for r in runs if not r["disturbed"]] or runs
    keys = ("requests_per_s", "p50_us", "p99_us", "cpu_us", "server_busy")
    result = {k: statistics.median(r[k] for r in good) for k in keys}
    result["runs"] = len(good)
    result["disturbed"] = sum(r["disturbed"] for r in runs)
    return result


def memory_kib(pid):
    """PSS, private and page-table KiB of a process."""
    found = {}
    with open("/proc/%d/smaps_rollup" % pid, encoding="utf-8") as f:
        text = f.read()
    for name in ("Pss", "Private_Clean", "Private_Dirty"):
        found[name] = int(re.search(r"^%s: +(\d+)" % name, text,
                                    re.M).group(1))
    with open("/proc/%d/status" % pid, encoding="utf-8") as f:
        tables = int(re.search(r"^VmPTE:\s+(\d+)", f.read(), re.M).group(1))
    return {"pss": found["Pss"],
            "private": found["Private_Clean"] + found["Private_Dirty"],
            "page_tables": tables}


def free_port():
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for_port(port, process):
    """Until somebody listens on the port."""
    end = time.monotonic() + 10
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("nginx did not start")


class Nginx:
    """nginx with the Lua module and the same price.lua, one worker."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None

    @staticmethod
    def missing():
        """Why the comparison cannot run, or None."""
        if shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin"
                        ) is None:
            return "no nginx: apt-get install nginx-light"
        if not Nginx.modules():
            return "no Lua module: apt-get install libnginx-mod-http-lua"
        return None

    @staticmethod
    def modules():
        """The folder of nginx's modules, or None."""
        return next((d for d in NGINX_MODULES if os.path.exists(
            os.path.join(d, "ngx_http_lua_module.so"))), None)

    def __enter__(self):
        run = os.path.join(self.folder, "nginx")
        os.mkdir(run)
        port = free_port()
        with open(os.path.join(HERE, "nginx", "nginx.conf.in"),
                  encoding="utf-8") as f:
            text = f.read()
        for name, value in (("RUN", run), ("SRC", HERE),
                            ("MODULES", self.modules()), ("PORT", port)):
            text = text.replace("@%s@" % name, str(value))
        path = os.path.join(run, "nginx.conf")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        tool = shutil.which("nginx",
                            path="/usr/sbin:/usr/bin:/usr/local/sbin")
        self.process = subprocess.Popen(
            pinned(SERVER_CORE, [tool, "-p", run, "-c", path]),
            stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        wait_for_port(port, self.process)
        return Peer("nginx+lua", self.process.pid,
                    "http://127.0.0.1:%d" % port, {},
                    {"hello": "/hello", "quote": "/quote"},
                    {"step": "quote"})

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=10)


class Linlid(linli_test.Daemon):
    """linlid with the bench plugins, pinned like its peer."""

    def __init__(self, data=None):
        super().__init__(config={"rate_limit": "off"}, data=data)

    def command_line(self):
        return pinned(SERVER_CORE, super().command_line())

    def peers(self):
        """Enable the plugins; one peer for each way to acknowledge."""
        for name in ("quote", "step"):
            self.enable(os.path.join(HERE, name))
        headers = {"Authorization": "Bearer "
                   + self.token("app:bench", ttl_s=7200)}
        base = "/v1/c/%s" % self.community
        step = base + "/step/counters/ID"
        durable = {"hello": base + "/quote/hello",
                   "quote": base + "/quote/quote",
                   "step": step + "/step", "hot": step + "/step"}
        if self.given_data is not None:
            return [Peer("no-disk", self.pid, self.url.rstrip("/"), headers,
                         durable)]
        return [Peer(name, self.pid, self.url.rstrip("/"), headers, paths,
                     disk=True)
                for name, paths in (
                    ("linli", durable),
                    ("relaxed", {"hello": base + "/quote/relaxed/hello",
                                 "quote": base + "/quote/relaxed/quote"}),
                    ("unbilled", {"hello": base + "/quote/free/hello",
                                  "quote": base + "/quote/free/quote",
                                  "step": step + "/free"}))]


def answer(peer, what):
    """What a peer answers to one request, parsed."""
    body = None
    headers = dict(peer.headers)
    if what == "quote":
        with open(os.path.join(HERE, "quote", "request.json"), "rb") as f:
            body = f.read().rstrip(b"\n")
        headers["Content-Type"] = "application/json"
    host, port = peer.url.rsplit("/", 1)[1].split(":")
    connection = linli_test.http.client.HTTPConnection(host, int(port),
                                                       timeout=10)
    connection.request("POST" if body else "GET", peer.paths[what], body,
                       headers)
    got = connection.getresponse()
    text = got.read()
    connection.close()
    if got.status != 200:
        raise SystemExit("%s /%s: %d %r" % (peer.name, what, got.status,
                                            text[:300]))
    return json.loads(text)


def check_same_work(peers):
    """Peers that answer differently do not do the same work."""
    for what in ("hello", "quote"):
        if not any(what in p.paths for p in peers):
            continue
        answers = {p.name: answer(p, what) for p in peers}
        if len({json.dumps(a, sort_keys=True)
                for a in answers.values()}) != 1:
            raise SystemExit("/%s: the peers disagree: %r" % (what, answers))


def run_all(options, folder, nginx, result):
    """{what: {connections: {peer: {medians, runs}}}}, into result; and what
    memory the last linlid has. Each load has a linlid of its own: what one
    leaves behind costs another nothing."""
    results = result["results"] = {}
    for what in options.works:
        for connections in options.connections:
            with contextlib.ExitStack() as stack:
                daemon = stack.enter_context(Linlid())
                peers = daemon.peers()
                peers[1:1] = in_memory(stack)
                peers += nginx
                if not results:
                    check_same_work(peers)
                asked = [p for p in peers
                         if p.instead.get(what, what) in p.paths]
                row = run_load(asked, what, connections, options, folder)
                result["memory"] = memory_report(daemon)
            results.setdefault(what, {})[str(connections)] = row
            print_row(what, connections, row)


def run_load(peers, what, connections, options, folder):
    """{peer: {medians, runs}} of one load."""
    runs = {p.name: [] for p in peers}
    for p in peers:
        wrk(p, what, connections, WARM_S, folder)
    for _ in range(options.rounds):
        for p in peers:
            runs[p.name].append(measure(p, what, connections, options,
                                        folder))
    return {n: dict(middle(r), all=r) for n, r in runs.items()}


def print_row(what, connections, row):
    """One line a peer, and the ratio."""
    for name, r in row.items():
        print("%-6s %4d  %-10s %9.0f  %8.0f %8.0f  %7.2f  %4.0f%%  %s" % (
            what, connections, name, r["requests_per_s"], r["p50_us"],
            r["p99_us"], r["cpu_us"], 100 * r["server_busy"],
            "%d of %d runs disturbed" % (r["disturbed"], len(r["all"]))
            if r["disturbed"] else ""))
    for name in row:
        if name == base_of(row):
            continue
        print("%-6s %4d  %s / %s: %.2f of the requests, %.2f of the CPU" % (
            what, connections, name, base_of(row),
            ratio(row, name, "requests_per_s"), ratio(row, name, "cpu_us")))
    sys.stdout.flush()


def base_of(row):
    """What the others are compared with: nginx, or without it Linli with
    nothing billed, or Linli."""
    return next(n for n in ("nginx+lua", "unbilled", "linli") if n in row)


def ratio(row, name, key, base=None):
    """One over the base: the median of the rounds', if it can be of those
    that nothing disturbed."""
    pairs = list(zip(row[name]["all"], row[base or base_of(row)]["all"]))
    good = [p for p in pairs if not p[0]["disturbed"] and not
            p[1]["disturbed"]]
    return statistics.median(a[key] / b[key] for a, b in good or pairs)


def ratios(results):
    """{what: {connections: {peer: {requests_per_s, cpu_us …}}}}"""
    return {what: {c: {name: {k: round(ratio(row, name, k), 3)
                              for k in ("requests_per_s", "p50_us", "p99_us",
                                        "cpu_us")}
                       for name in row if name != base_of(row)}
                   for c, row in rows.items()}
            for what, rows in results.items()}


def memory_report(daemon):
    """Memory of linlid and of the worker of one loaded Lua plugin."""
    workers = [memory_kib(p) for p in daemon.workers()]
    return {"linlid_kib": memory_kib(daemon.pid),
            "worker_kib": workers[0] if workers else None,
            "workers": len(workers)}


def disk(folder):
    """What one sync of this disk costs: pages that take another's place."""
    path = os.path.join(folder, "sync")
    page = b"x" * SYNC_BYTES
    with open(path, "wb", buffering=0) as f:
        for _ in range(64):
            f.write(page)
        os.fsync(f.fileno())
        took, cpu = [], time.process_time()
        for i in range(SYNCS):
            f.seek(i % 64 * SYNC_BYTES)
            start = time.perf_counter()
            f.write(page)
            os.fdatasync(f.fileno())
            took.append(time.perf_counter() - start)
        cpu = time.process_time() - cpu
    os.remove(path)
    return {"sync_us": round(statistics.median(took) * 1e6, 1),
            "sync_cpu_us": round(cpu / SYNCS * 1e6, 1)}


def in_memory(stack):
    """A linlid whose data lie in memory, as a list of its one peer; empty
    where there is no such file system."""
    if not os.path.isdir(MEMORY):
        return []
    data = stack.enter_context(tempfile.TemporaryDirectory(
        prefix="linli-bench-", dir=MEMORY))
    return stack.enter_context(Linlid(data)).peers()


def write_json(path, value):
    """Write a file whole or not at all."""
    with open(path + ".tmp", "w", encoding="utf-8") as f:
        json.dump(value, f, indent=1, sort_keys=True)
        f.write("\n")
    os.replace(path + ".tmp", path)


def machine():
    """What the figures were measured on; no name of it."""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = re.search(r"^model name\s*: (.*)$", f.read(), re.M)
    return {"cpu": model.group(1) if model else platform.machine(),
            "cpus": os.cpu_count(), "kernel": platform.release()}


def parse(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--src", default=os.path.join(HERE, "..", ".."))
    parser.add_argument("--build", default=os.getcwd())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--quiet-wait", type=float, default=QUIET_WAIT_S)
    parser.add_argument("--connections", default=[1, 32, 256],
                        type=lambda s: [int(w) for w in s.split(",")])
    parser.add_argument("--works", default=WORKS,
                        type=lambda s: s.split(","))
    options = parser.parse_args(arguments)
    unknown = set(options.works) - set(WORKS)
    if unknown:
        parser.error("works are %s" % ", ".join(WORKS))
    return options


def main(arguments):
    """Measure, print, write bench.json; the exit status."""
    options = parse(arguments)
    result = {"machine": machine(), "rounds": options.rounds,
              "seconds": options.seconds}
    if "consent" in options.works:
        result["consent"] = consent(options)
    if "acts" in options.works:
        result["acts"] = acts(options)
    if "log" in options.works:
        result["log"] = log(options)
    if "admit" in options.works:
        result["admit"] = admit(options)
    if "invoice" in options.works:
        result["invoice"] = invoice(options)
    options.works = [w for w in options.works if w in CALLS]
    if options.works:
        status = calls(options, result)
        if status != 0:
            return status
    write_json(os.path.join(options.build, "bench.json"), result)
    print("written to bench.json")
    return 0


def consent(options):
    """What consent_rates says, beside what was aimed at."""
    wait_for_quiet(options.quiet_wait)
    said = subprocess.run(
        pinned(SERVER_CORE, [os.path.join(options.build, "bench",
                                          "consent_rates")]),
        stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = [json.loads(line) for line in said.splitlines()]
    for row in rows:
        aims = CONSENT_AIMS[row["grants"]]
        print("consent, %d grants: %s" % (row["grants"], ", ".join(
            "%s %g%s" % (name, row[name], " (aim %d)" % aims[name]
                         if name in aims else "")
            for name in sorted(row) if name != "grants")))
    return rows


def acts(options):
    """What a resident waits for an act."""
    stand_in(options)
    wait_for_quiet(options.quiet_wait)
    rows = consent_parts.acts()
    print("acts over HTTP, durable: give p50 %d us, p99 %d us; withdraw p50 "
          "%d us (aim %d), p99 %d us" % (
              rows["give"]["p50_us"], rows["give"]["p99_us"],
              rows["withdraw"]["p50_us"], WITHDRAW_AIM_US,
              rows["withdraw"]["p99_us"]))
    return rows


def log(options):
    """What a leaf costs."""
    wait_for_quiet(options.quiet_wait)
    rows = consent_parts.log(pinned(SERVER_CORE, [os.path.join(
        options.build, "bench", "log_rates")]))
    for name, row in rows.items():
        print("log, %s: %s" % (name, ", ".join(
            "%s %g" % pair for pair in sorted(row.items()))))
    return rows


def admit(options):
    """What admit_rates says."""
    wait_for_quiet(options.quiet_wait)
    said = subprocess.run(
        pinned(SERVER_CORE, [os.path.join(options.build, "bench",
                                          "admit_rates")]),
        stdout=subprocess.PIPE, text=True, check=True).stdout
    rows = [json.loads(line) for line in said.splitlines()]
    for row in rows:
        print("admit, %s: %d ns a call" % (row["plan"], row["ns"]) + (
            ", the first %.1f us, %d bytes a subscription" % (
                row["load_us"], row["bytes"]) if "load_us" in row else ""))
    return rows


def rows_of(options, program):
    """What a program of this folder says, row by row, on a quiet machine."""
    wait_for_quiet(options.quiet_wait)
    said = subprocess.run(
        pinned(SERVER_CORE, [os.path.join(options.build, "bench", program)]),
        stdout=subprocess.PIPE, text=True, check=True).stdout
    return [json.loads(line) for line in said.splitlines()]


def invoice(options):
    """What price_rates and invoice_rates say."""
    rated = rows_of(options, "price_rates")
    made = rows_of(options, "invoice_rates")
    for row in rated:
        print("rate: %d subscriptions' month in %.3f s of CPU, %d lines a "
              "second" % (row["subscriptions"], row["cpu_s"],
                          row["lines_per_s"]))
    for row in made:
        print("invoice, %s: %d a second, %.1f us of CPU each, the loop at most "
              "%.2f ms" % (row["what"], row["per_s"], row["cpu_us"],
                           row["longest_ms"]))
    return {"rate": rated, "make": made}


def stand_in(options):
    """Where linli_test finds the tree and the build."""
    os.environ["LINLI_SRC"] = os.path.abspath(options.src)
    os.environ["LINLI_BUILD"] = os.path.abspath(options.build)


def calls(options, result):
    """The works that are calls, against nginx; an exit status."""
    if shutil.which("wrk") is None:
        print("bench: no wrk here: apt-get install wrk", file=sys.stderr)
        return 1
    stand_in(options)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="linli-bench-"))
        result["disk"] = disk(folder)
        print("a sync of %d KiB: %.0f us, of them %.0f of CPU" % (
            SYNC_BYTES >> 10, result["disk"]["sync_us"],
            result["disk"]["sync_cpu_us"]))
        if not os.path.isdir(MEMORY):
            print("no-disk is left out: no %s" % MEMORY)
        missing = Nginx.missing()
        if missing:
            print("nginx+lua is left out: " + missing)
        nginx = [] if missing else [stack.enter_context(Nginx(folder))]
        measured(options, folder, nginx, result)
    return 0


def measured(options, folder, nginx, result):
    """Run the loads and put what they give into result."""
    print("%-6s %4s  %-10s %9s  %8s %8s  %7s  %5s" % (
        "work", "conn", "server", "req/s", "p50 us", "p99 us", "CPU us",
        "busy"))
    run_all(options, folder, nginx, result)
    result["ratios"] = ratios(result["results"])
    print("memory of one Lua plugin's worker: %r KiB; linlid: %r KiB"
          % (result["memory"]["worker_kib"], result["memory"]["linlid_kib"]))
    for connections, durable in (("32", 0.5), ("256", 0.85)):
        print_aims(result["results"], connections, durable)


def print_aims(results, connections, durable):
    """What was aimed at, on any machine: ratios to nginx+lua's /quote."""
    def times(work, name, base="nginx+lua"):
        row = results.get(work, {}).get(connections, {})
        return ("%.2f" % ratio(row, name, "requests_per_s", base)
                if name in row and base in row else "-")
    if "nginx+lua" in results.get("quote", {}).get(connections, {}):
        print("POST /quote at %s connections, x nginx+lua: durable %s, without "
              "a disk %s (aim %.2f), relaxed %s, unbilled %s; relaxed x "
              "unbilled %s (aim 0.90)" % (
                  connections, times("quote", "linli"),
                  times("quote", "no-disk"), durable,
                  times("quote", "relaxed"), times("quote", "unbilled"),
                  times("quote", "relaxed", "unbilled")))
    if "nginx+lua" in results.get("step", {}).get(connections, {}):
        print("read one, write one at %s connections, x nginx+lua's /quote: "
              "durable %s, without a disk %s (aim %.2f)" % (
                  connections, times("step", "linli"),
                  times("step", "no-disk"), STEP_AIM))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
