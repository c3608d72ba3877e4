#!/usr/bin/env python3
"""tests/scenario/test_build.py: configure, the targets, what is installed."""

import contextlib
import filecmp
import json
import os
import re
import shlex
import shutil
import stat

import linli_test
import tap

SRC, BUILD = tap.source_folder(), tap.build_folder()

# What debhelper and rpm give to every configure.
PACKAGERS = [
    "--build=x86_64-linux-gnu", "--prefix=/usr",
    "--includedir=${prefix}/include", "--mandir=${prefix}/share/man",
    "--infodir=${prefix}/share/info", "--sysconfdir=/etc",
    "--localstatedir=/var", "--disable-option-checking",
    "--disable-silent-rules", "--libdir=${prefix}/lib/x86_64-linux-gnu",
    "--runstatedir=/run", "--disable-maintainer-mode",
    "--disable-dependency-tracking", "--sharedstatedir=/var/lib",
    "--program-prefix=", "CXXFLAGS=-O2"]


def environment():
    """The environment without what a caller's make or shell may have set."""
    return {k: v for k, v in os.environ.items() if k not in (
        "CFLAGS", "CPPFLAGS", "LDFLAGS", "LIBS", "MAKEFLAGS", "V")}


def compiler():
    """CC of the build that is tested."""
    with open(os.path.join(BUILD, "config.mk"), encoding="utf-8") as f:
        return re.search(r"^CC = (.*)$", f.read(), re.M).group(1)


def configure(folder, *words, src=SRC):
    """Run configure in folder; a Run."""
    return linli_test.run([os.path.join(src, "configure"),
                           "CC=" + compiler()] + list(words),
                          timeout_s=120, cwd=folder, env=environment())


def make(folder, *words, timeout_s=600):
    """Run make in folder; a Run."""
    return linli_test.run(["make", "-C", folder] + list(words),
                          timeout_s=timeout_s, env=environment())


def ok(done):
    """Fail with what a command said unless it succeeded."""
    if done.code != 0:
        raise AssertionError("%r" % done)
    return done


def copy_source(target):
    """The files that configure and make read, without build outputs."""
    os.makedirs(target)
    for name in ("configure", "Makefile.in", ".version"):
        shutil.copy2(os.path.join(SRC, name), target)
    for name in ("runtime", "sdk", "spec"):
        shutil.copytree(os.path.join(SRC, name), os.path.join(target, name))
    os.makedirs(os.path.join(target, "tests"))
    shutil.copy2(os.path.join(SRC, "tests", "files.mk"),
                 os.path.join(target, "tests"))


def snapshot(folder):
    """{path: (size, change time)} of all below folder."""
    found = {}
    for where, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(where, name)
            state = os.lstat(path)
            found[os.path.relpath(path, folder)] = (state.st_size,
                                                    state.st_mtime_ns)
    return found


@contextlib.contextmanager
def configured(*words):
    """A folder in which configure has run."""
    with linli_test.temporary_folder() as folder:
        ok(configure(folder, *words))
        yield folder


def text(folder, name):
    """A file as text."""
    with open(os.path.join(folder, name), encoding="utf-8") as f:
        return f.read()


def test_refused_options():
    """One message with the fix, non-zero, and no Makefile."""
    for words in (["--enable-nonsense"], ["--with-nonsense"],
                  ["--without-lua"], ["--disable-nonsense"], ["--nonsense"],
                  ["--prefix"], ["--prefix=here"], ["--prefix=/a b"],
                  ["--enable-asan=yes"], ["nonsense"], ["NONSENSE=1"],
                  ["--enable-asan", "--enable-tsan"], ["CFLAGS=a\nb"],
                  ["--srcdir=/nowhere"]):
        with linli_test.temporary_folder() as folder:
            done = configure(folder, *words)
            assert done.code != 0, "accepted: %r" % words
            tap.contains(done.err, "configure: ", "stderr of %r" % words)
            assert not os.path.exists(os.path.join(folder, "Makefile"))


def test_help():
    with linli_test.temporary_folder() as folder:
        done = ok(configure(folder, "--help"))
        for word in ("--install-deps", "--prefix", "--enable-asan",
                     "CFLAGS"):
            tap.contains(done.out, word, "--help")
        tap.equal(os.listdir(folder), [], "files after --help")


def test_white_space_is_refused():
    """make cannot do it, so configure says so."""
    with linli_test.temporary_folder() as folder:
        src = os.path.join(folder, "a b")
        copy_source(src)
        done = configure(folder, src=src)
        assert done.code != 0
        tap.contains(done.err, "white space")
        build = os.path.join(folder, "c d")
        os.mkdir(build)
        done = configure(build)
        assert done.code != 0
        tap.contains(done.err, "white space")
        tap.equal(os.listdir(build), [], "files")


def test_what_packagers_pass():
    with configured(*PACKAGERS) as folder:
        config = text(folder, "gen/config.h")
        tap.contains(config, '#define LL_LIBEXECDIR "/usr/libexec/linli"\n')
        tap.contains(config, '#define LL_DATADIR "/usr/share/linli"\n')
        pc = text(folder, "linli.pc")
        tap.contains(pc, "\nlibdir=/usr/lib/x86_64-linux-gnu\n")
        tap.contains(pc, "\nincludedir=/usr/include\n")
        for name in ("gen/config.h", "linli.pc"):
            for place in (SRC + "/", folder):
                assert place not in text(folder, name), name


def test_missing_library():
    with linli_test.temporary_folder() as folder:
        done = configure(folder, "LUA_LIBS=-lno-such-library")
        assert done.code != 0
        tap.contains(done.err, "apt-get install liblua5.4-dev")
        tap.contains(text(folder, "config.log"), "-lno-such-library")
        assert not os.path.exists(os.path.join(folder, "Makefile"))


def test_without_pkg_config():
    """Plain -l flags find what pkg-config would."""
    with linli_test.temporary_folder() as folder:
        done = configure(folder, "PKG_CONFIG=no-such-tool",
                         "LUA_CFLAGS=-I/usr/include/lua5.4",
                         "LUA_LIBS=-llua5.4")
        tap.contains(ok(done).out, "as LUA_CFLAGS and LUA_LIBS say")


def test_reconfigure_replays_the_command():
    """Blanks and dollars come back as they were given."""
    words = ["CFLAGS=-O1  -g", "--libdir=${prefix}/lib/x",
             "--disable-werror"]
    with configured(*words) as folder:
        before = text(folder, "config.mk")
        first = text(folder, "Makefile").split("\n", 1)[0]
        tap.contains(first, "'--disable-werror'")
        ok(make(folder, "reconfigure"))
        tap.equal(text(folder, "config.mk"), before, "config.mk")


def test_summary_says_what_is_off():
    with linli_test.temporary_folder() as folder:
        out = ok(configure(folder, "--disable-werror",
                           "--disable-shared")).out
        for line in (r"-Werror +off: --disable-werror",
                     r"liblinli\.so +off: --disable-shared",
                     r"fuzzing +off: ", r"Lua +5\.4"):
            assert re.search(line, out), "no %r in %s" % (line, out)


def test_source_folder_stays_as_it_is():
    """Out of tree: make writes nothing into the source folder."""
    with linli_test.temporary_folder() as folder:
        src, build = folder + "/src", folder + "/build"
        copy_source(src)
        os.mkdir(build)
        for where, folders, files in os.walk(src):
            for name in folders + files:
                path = os.path.join(where, name)
                os.chmod(path, stat.S_IMODE(os.stat(path).st_mode) & ~0o222)
        before = snapshot(src)
        ok(configure(build, src=src))
        ok(make(build, "-j2", "obj/runtime/base/err.o",
                "obj/runtime/base/mem.o"))
        tap.equal(snapshot(src), before, "the source folder")
        for where, folders, _ in os.walk(src):
            for name in folders:
                os.chmod(os.path.join(where, name), 0o755)


def test_without_optimization():
    """make CFLAGS=-O0 works: the user's flags come last."""
    with configured() as folder:
        ok(make(folder, "CFLAGS=-O0", "obj/runtime/base/err.o"))


def test_objects_are_reproducible():
    """Two folders, the same bytes: no path and no time goes in."""
    names = ["obj/runtime/base/err.o", "obj/runtime/base/mem.o"]
    with linli_test.temporary_folder() as folder:
        for name in ("one", "another/deeper"):
            src = os.path.join(folder, name, "src")
            build = os.path.join(folder, name, "build")
            copy_source(src)
            os.makedirs(build)
            ok(configure(build, "CFLAGS=-O2 -g", src=src))
            ok(make(build, *names))
        for name in names:
            assert filecmp.cmp(
                os.path.join(folder, "one/build", name),
                os.path.join(folder, "another/deeper/build", name),
                shallow=False), name + " differs"


def test_compile_commands():
    """Every source of the runtime is in compile_commands.json."""
    fragments = [os.path.join(where, name)
                 for where, _, names in os.walk(os.path.join(BUILD, "obj"))
                 for name in names if name.endswith(".json")]
    assert fragments, "no fragment in obj/"
    for path in fragments:
        with open(path, encoding="utf-8") as f:
            entry = json.load(f)
        tap.equal(sorted(entry), ["command", "directory", "file"], path)
        assert shlex.split(entry["command"])[-1] == entry["file"], path


@contextlib.contextmanager
def installed():
    """What `make install` puts below a DESTDIR."""
    with linli_test.temporary_folder() as folder:
        ok(make(BUILD, "install", "DESTDIR=" + folder))
        yield folder


def prefix():
    """The prefix of the build that is tested."""
    with open(os.path.join(BUILD, "config.mk"), encoding="utf-8") as f:
        return re.search(r"^prefix = (.*)$", f.read(), re.M).group(1)


def test_install_and_uninstall():
    with installed() as folder:
        root = folder + prefix()
        for name, mode in (("bin/linli", 0o755), ("sbin/linlid", 0o755),
                           ("libexec/linli/linli-worker", 0o755),
                           ("include/linli/plugin.h", 0o644),
                           ("include/linli/host.h", 0o644),
                           ("lib/pkgconfig/linli.pc", 0o644),
                           ("lib/liblinli.a", 0o644),
                           ("lib/liblinli.so", 0o755),
                           ("share/linli/plugins/parking/plugin.json",
                            0o644),
                           ("share/linli/spec/README.md", 0o644)):
            path = os.path.join(root, name)
            assert os.path.exists(path), "not installed: " + name
            tap.equal(stat.S_IMODE(os.stat(path).st_mode), mode, name)
        for where, _, names in os.walk(root):
            for name in names:
                assert not re.match(r"test_|.*\.(mk|o|pyc)$", name), name
            assert os.path.basename(where) != "test", where
        ok(make(BUILD, "uninstall", "DESTDIR=" + folder))
        left = [os.path.join(w, f) for w, _, names in os.walk(folder)
                for f in names]
        tap.equal(left, [], "files after uninstall")


class Installed(linli_test.Daemon):
    """linlid as it was installed below a DESTDIR, with what lies there."""

    def __init__(self, root):
        super().__init__(plugins=root + "/share/linli/plugins", options=[
            "--demo=on", "--worker=" + root + "/libexec/linli/linli-worker"])
        self.root = root

    def command_line(self):
        return [self.root + "/sbin/linlid"] + super().command_line()[1:]


def test_the_installed_daemon_serves():
    """What is installed is enough to serve the first-party plugins."""
    with installed() as folder, Installed(folder + prefix()) as daemon:
        listed = ok(linli_test.run([folder + prefix() + "/bin/linli", "plugin",
                                    "list", "--data=" + daemon.data]))
        tap.contains(listed.out, "parking", "linli plugin list")
        answer = daemon.call("parking", "/tariffs/p1/simulate", {
            "entered_at": "2026-03-02T09:00:00+08:00",
            "left_at": "2026-03-02T10:40:00+08:00", "plate_type": "blue"},
            as_="operator:o1")
        tap.equal(answer.status, 200, "status of %r" % answer)


def pkg_config(folder, *words):
    """pkg-config over the installed linli.pc, below DESTDIR."""
    env = dict(environment(), PKG_CONFIG_SYSROOT_DIR=folder,
               PKG_CONFIG_PATH=folder + prefix() + "/lib/pkgconfig")
    return ok(linli_test.run(["pkg-config"] + list(words) + ["linli"],
                             env=env)).out.split()


PLUGIN = r"""
#include <linli/plugin.h>
int linli_level(void);
int linli_level(void) { return LINLI_ABI_LEVEL; }
"""
HOST = r"""
#include <linli/host.h>
#include <stdio.h>
int main(void) { return printf("%d\n", (int)LINLI_OK) < 0; }
"""


def test_compile_against_the_installed_tree():
    """A plugin and a host need nothing but what is installed."""
    with installed() as folder:
        for name, source, more in (
                ("plugin.so", PLUGIN, ["-shared", "-fPIC"]),
                ("host", HOST, [])):
            path = os.path.join(folder, name + ".c")
            with open(path, "w", encoding="utf-8") as f:
                f.write(source)
            words = [compiler(), "-std=c11", "-Wall", "-Werror", path, "-o",
                     os.path.join(folder, name)] + more
            words += pkg_config(folder, "--cflags")
            if not more and not sanitized():
                words += pkg_config(folder, "--libs")
            ok(linli_test.run(words, timeout_s=120))


def sanitized():
    """Whether the tested build has sanitizers."""
    with open(os.path.join(BUILD, "config.mk"), encoding="utf-8") as f:
        return re.search(r"^sanitize = \S", f.read(), re.M) is not None


def test_help_names_the_targets():
    out = ok(make(BUILD, "help")).out
    for word in ("demo", "check", "check-asan", "lint", "fuzz", "bench",
                 "install", "uninstall", "compdb", "accept-abi", "dist",
                 "distclean", "reconfigure"):
        tap.contains(out, word, "make help")


if __name__ == "__main__":
    tap.main()
