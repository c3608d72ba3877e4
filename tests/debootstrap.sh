#!/bin/sh
# tests/debootstrap.sh [FOLDER]: both command lines of README.md in a fresh
# Debian 12 that holds git, a C compiler and nothing else, from a clean clone
# of HEAD: `make demo` with its printed curl lines, then `make check` as root
# and as an ordinary user. Needs root, debootstrap and a Debian mirror
# (MIRROR=URL). FOLDER is kept for another run; without it a temporary one is
# made and removed. STEPS names what to run of: demo install check-root
# check-user.
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
release=${RELEASE:-bookworm}
mirror=${MIRROR:-http://deb.debian.org/debian}
steps=${STEPS:-demo install check-root check-user}
demo_wait_s=600

die() {
    echo "debootstrap.sh: $1" >&2
    exit 1
}
[ "$(id -u)" = 0 ] || die "needs root"
command -v debootstrap >/dev/null || die "apt-get install debootstrap"
git -C "$src" rev-parse HEAD >/dev/null || die "needs a git clone"

keep=yes
root=${1-}
if [ -z "$root" ]; then
    keep=no
    root=$(mktemp -d)
fi
mkdir -p "$root"
root=$(cd "$root" && pwd)

# Only what we mounted is unmounted, and nothing is removed below a mount.
mounted=
demo=
finish() {
    [ -z "$demo" ] || kill "$demo" 2>/dev/null || :
    for m in $mounted; do
        umount "$m" || { echo "still mounted: $m" >&2; keep=yes; }
    done
    [ $keep = yes ] || rm -rf --one-file-system "$root"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

if [ ! -e "$root/.linli-fresh" ]; then
    debootstrap --variant=minbase --include=git,gcc,libc6-dev \
        "$release" "$root" "$mirror" >"$root.log" 2>&1 ||
        die "debootstrap failed: $(tail -n 2 "$root.log")"
    # A machine whose package lists were never read.
    rm -rf "$root"/var/lib/apt/lists/* "$root.log"
    chroot "$root" useradd -m tester
    # What an installer writes, and debootstrap does not: the browser's driver
    # asks for localhost by name.
    printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
    touch "$root/.linli-fresh"
fi
# Its own, never this machine's: an unmount that fails harms nobody.
mount_new() { # TYPE FOLDER
    mkdir -p "$root$2"
    mount -t "$1" "$1" "$root$2"
    mounted="$root$2 $mounted"
}
mount_new proc /proc
mount_new tmpfs /dev/shm
mount_new devpts /dev/pts

# A clean clone of HEAD at a path of the fresh system.
clone() { # PATH
    rm -rf "${root:?}$1"
    git clone -q --no-local "$src" "$root$1"
}
inside() { # USER FOLDER COMMAND
    chroot "$root" su - "$1" -c "cd '$2' && $3" </dev/null
}

# Each curl line that the demo prints must succeed when pasted.
paste_curl_lines() { # OUTPUT
    sed -e ':join' -e '/\\$/{N;s/\\\n *//;b join' -e '}' "$1" |
        grep -E '^[[:space:]]*curl ' >"$1.curl" ||
        die "the demo printed no curl line"
    while IFS= read -r line; do
        printf '  %s\n' "$line" | cut -c1-100
        answer=$(inside root / "$line") || die "failed: $line"
        printf '    %s\n' "$answer" | cut -c1-300
        case $answer in
        '' | *'"type":"'*problem*) die "no good answer to: $line" ;;
        esac
    done <"$1.curl"
}

# Start a daemon with COMMAND in FOLDER, paste what it prints, end it.
serve_and_paste() { # FOLDER DATA COMMAND
    mkdir -p "$root$1"
    out=$root$1.out
    inside root "$1" "$3" >"$out" 2>&1 &
    demo=$!
    waited=0
    until grep -q '"ready":true' "$out"; do
        kill -0 "$demo" 2>/dev/null || die "the demo ended: $(tail "$out")"
        [ $waited -lt $demo_wait_s ] || die "no ready line: $(tail "$out")"
        waited=$((waited + 1))
        sleep 1
    done
    sleep 1
    paste_curl_lines "$out"
    kill -TERM "$(cat "$root$2/linlid.pid")"
    wait "$demo" || :
    demo=
}

run_demo() {
    clone /root/demo
    serve_and_paste /root/demo /root/demo/demo-data \
        './configure --install-deps && make demo'
    echo "demo: passed"
}

# From where make install put it: linlid finds its worker, linli its linlid.
run_install() {
    [ -e "$root/root/demo/linlid" ] || die "install needs demo first"
    inside root /root/demo 'make install' >"$root/root/install.out"
    serve_and_paste /root/installed /root/installed/data \
        'linlid --mode=development --data=data --demo=on \
            --plugins=/usr/local/share/linli/plugins'
    inside root /root/demo 'make uninstall' >>"$root/root/install.out"
    [ ! -e "$root/usr/local/sbin/linlid" ] || die "uninstall left linlid"
    echo "install: passed"
}

check_as() { # USER FOLDER
    clone "$2"
    # An ordinary user cannot install: root did, in the same system.
    inside root / "chown -R $1: '$2'"
    if [ "$1" = root ]; then
        inside root "$2" '.ci/run'
    else
        [ -e "$root/usr/bin/make" ] || die "check-user needs check-root first"
        inside "$1" "$2" './configure --install-deps && make check'
    fi
    echo "check as $1: passed"
}

for step in $steps; do
    case $step in
    demo) run_demo ;;
    install) run_install ;;
    check-root) check_as root /root/check ;;
    check-user) check_as tester /srv/check ;;
    *) die "no such step: $step" ;;
    esac
done
