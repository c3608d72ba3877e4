"""tests/lint/lint_style.py: the C style that a machine can judge."""

import os
import re
import shutil
import subprocess

import house
import tap

FUNCTION_LINES_MAX = 70
FUNCTION_ARGUMENTS_MAX = 5  # and `struct ll_err *err`, where failures go
NESTING_MAX = 3
COLUMNS_MAX = 80
FILE_LINES_MAX = {".c": 900, ".h": 250}
FILE_LINES_OF = {"sdk/include/linli/plugin.h": 700,
                 "sdk/include/linli/host.h": 500}
# Functions that read better past a bound, and why.
EXCUSED = {
    "ll_worker_hostcall_wait": "a call and its run are one name in two words, "
                               "and the answer has two parts",
}
CLANG_FORMAT_MAJOR = 14  # Debian 12's; others lay out differently

RUNTIME = ("runtime",)
SHIPPED = ("runtime", "sdk", "plugins", "examples")
ALL = ("runtime", "sdk", "plugins", "examples", "tests")

# Functions, the folders where they are banned, and the files (by prefix)
# that are the one door to each.
BANNED = (
    ("sprintf|vsprintf|strcpy|strcat|strncpy|strncat|strtok|atoi|atol|atof"
     "|gets|alloca|tmpnam|mktemp", SHIPPED, ()),
    ("system|popen", SHIPPED, ()),
    # linlid stands on host.h alone, as any embedder does; Lua's heap counts
    # for itself.
    ("malloc|calloc|realloc|free|strdup|strndup", RUNTIME,
     ("runtime/base/mem.c", "runtime/cmd/linlid.c",
      "runtime/worker/lua_heap.c")),
    ("time|localtime|localtime_r|gmtime|gmtime_r|gettimeofday|mktime|ctime",
     RUNTIME, ()),
    ("clock_gettime", RUNTIME, ("runtime/world/", "runtime/worker/")),
    ("rand|srand|random|srandom|drand48|arc4random", RUNTIME, ()),
    ("getrandom", RUNTIME, ("runtime/world/",)),
    ("getenv|setenv|putenv|unsetenv", RUNTIME, ()),
    ("setlocale|chdir|signal|umask", RUNTIME,
     ("runtime/worker/", "runtime/cmd/", "runtime/world/spawn")),
    ("fork|vfork|posix_spawn|clone3", RUNTIME, ("runtime/world/spawn",)),
    ("socket|bind|listen|accept", RUNTIME, ("runtime/world/",)),
    (r"uv_\w+", RUNTIME, ("runtime/world/",)),
    (r"lua_\w+|luaL_\w+", RUNTIME, ("runtime/worker/lua",)),
    (r"cJSON_\w+", RUNTIME, ()),
)


def test_format():
    tool = shutil.which("clang-format")
    tap.skip_unless(tool, "no clang-format here: apt-get install "
                          "clang-format-%d" % CLANG_FORMAT_MAJOR)
    said = subprocess.run([tool, "--version"], capture_output=True,
                          text=True, check=True).stdout
    major = int(re.search(r"version (\d+)", said).group(1))
    tap.skip_unless(major == CLANG_FORMAT_MAJOR,
                    "clang-format %d lays out differently from %d"
                    % (major, CLANG_FORMAT_MAJOR))
    paths = [os.path.join(house.SRC, f) for f in house.c_files(*ALL)]
    done = subprocess.run([tool, "--dry-run"] + paths, cwd=house.SRC,
                          stderr=subprocess.PIPE, text=True, check=True)
    first = {}
    for line in done.stderr.splitlines():
        found = re.match(r"(.*?):(\d+):\d+: warning: code should be", line)
        if found:
            first.setdefault(os.path.relpath(found.group(1), house.SRC),
                             found.group(2))
    house.report(["%s:%s: run clang-format -i" % item
                  for item in sorted(first.items())])


def test_columns_and_white_space():
    found = []
    for path in house.c_files(*ALL):
        for number, line in enumerate(house.read(path).split("\n"), 1):
            if len(line) > COLUMNS_MAX:
                found.append("%s:%d: %d columns" % (path, number, len(line)))
            if line != line.rstrip():
                found.append("%s:%d: white space at the end" % (path, number))
            if "\t" in line:
                found.append("%s:%d: a tab" % (path, number))
    house.report(found)


def test_file_length():
    found = []
    for path in house.c_files(*ALL):
        # A header of tests holds code, as it is included once.
        kind = ".c" if path.startswith("tests/") else path[-2:]
        most = FILE_LINES_OF.get(path, FILE_LINES_MAX[kind])
        lines = house.read(path).count("\n")
        if lines > most:
            found.append("%s: %d lines, %d at most: two ideas in one file?"
                         % (path, lines, most))
    house.report(found)


def test_functions():
    """Length, arguments and nesting of every function."""
    found = []
    for path in house.c_files(*SHIPPED):
        for f in house.functions(house.read(path)):
            where = "%s:%d: %s" % (path, f.first, f.name)
            if f.name in EXCUSED:
                continue
            if f.lines > FUNCTION_LINES_MAX:
                found.append("%s has %d lines" % (where, f.lines))
            if f.count > FUNCTION_ARGUMENTS_MAX:
                found.append("%s takes %d arguments" % (where, f.count))
            if f.nesting > NESTING_MAX:
                found.append("%s nests %d deep" % (where, f.nesting))
    house.report(found)


def test_file_heads():
    """Every file says in its first comment what it is, by its own path."""
    found = []
    for path in house.c_files("runtime", "sdk"):
        head = house.read(path)[:400]
        name = re.sub(r"^(runtime|sdk/include)/", "", path)
        if not head.startswith("/* " + name + ": "):
            found.append('%s: does not begin with "/* %s: "' % (path, name))
    house.report(found)


def prototypes(text):
    """(line, name) of prototypes of a header whose block has no comment.

    A block is what stands between blank lines; one comment in it speaks for
    all of its prototypes.
    """
    code = house.code_only(text).split("\n")
    lines = text.split("\n")
    depth, block, missing = 0, [], []
    for number in range(len(lines) + 1):
        if number < len(lines) and lines[number].strip():
            block.append(number)
            continue
        if depth == 0 and block:
            joined = "\n".join(code[n] for n in block)
            has_comment = any("*/" in lines[n] for n in block)
            name = re.search(r"^(?!typedef|#|\s)[\w\s\*]*?\b(\w+)\s*\([^{]*;",
                             joined, re.M)
            if name and not has_comment:
                missing.append((block[0] + 1, name.group(1)))
        for n in block:
            if not code[n].lstrip().startswith(("#", 'extern "')):
                depth += code[n].count("{") - code[n].count("}")
        depth = max(depth, 0)
        block = []
    return missing


def test_prototypes_have_comments():
    found = []
    for path in house.files("runtime/*.h", "sdk/*.h"):
        for line, name in prototypes(house.read(path)):
            found.append("%s:%d: %s has no comment" % (path, line, name))
    house.report(found)


def test_banned_functions():
    found = []
    for names, folders, doors in BANNED:
        call = re.compile(r"(?<![\w.>])(%s)\s*\(" % names)
        for path in house.c_files(*folders):
            if path.startswith(doors):
                continue
            code = house.code_only(house.read(path))
            for m in call.finditer(code):
                found.append("%s:%d: %s is banned here" % (
                    path, code.count("\n", 0, m.start()) + 1, m.group(1)))
    house.report(found)


def test_no_unfinished_work():
    # Put together here, so that this file does not find itself.
    words = re.compile(r"\b(%s)\b" % "|".join(
        ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]))
    found = []
    for path in house.files("*.c", "*.h", "*.lua", "*.py", "*.sh", "*.mk",
                            "*.md", "configure", "Makefile.in"):
        for number, line in enumerate(house.read(path).split("\n"), 1):
            if words.search(line):
                found.append("%s:%d: %s" % (path, number, line.strip()))
    house.report(found)


def test_shell():
    tool = shutil.which("shellcheck")
    tap.skip_unless(tool, "no shellcheck here: apt-get install shellcheck")
    scripts = ["configure", ".ci/run"] + house.files("*.sh")
    done = subprocess.run([tool] + scripts, cwd=house.SRC, text=True,
                          stdout=subprocess.PIPE, check=False)
    tap.equal(done.stdout, "", "shellcheck")


if __name__ == "__main__":
    tap.main()
