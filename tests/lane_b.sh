#!/bin/sh
# Runs `make test` (or `make` with the arguments given) on Python 3.13, in a Debian 13 root that is
# made in .lane-b/ the first time. Works in namespaces of mounts and of processes: however it ends,
# none of its mounts and none of its processes is left.
set -u
cd "$(dirname "$0")/.." || exit 2

fail() {
    echo "lane B: $1" >&2
    exit 2
}

# The first process of a process namespace has the number 1, and ends all others when it ends.
if [ $$ != 1 ]; then
    [ "$(id -u)" = 0 ] || fail "making and entering a Debian 13 root takes root: run it as root."
    exec unshare --mount --propagation private --pid --fork --kill-child "tests/${0##*/}" "$@"
fi

home="$PWD/.lane-b"
root="$home/root"
python=usr/bin/python3.13
certificates=etc/ssl/certs/ca-certificates.crt

mkdir -p "$home" || exit 2
exec 9>"$home/lock"
flock --nonblock 9 || fail "another run is using $home: wait for it, or end it."

# Debian's package, unpacked without being installed.
fetch_debootstrap() {
    fetched=$(mktemp -d "$home/debootstrap.XXXXXX") && cd "$fetched" || return
    if ! apt-get download debootstrap; then
        # Lists of packages of our own.
        mkdir -p lists/partial cache/archives/partial
        set -- -o "Dir::State::lists=$PWD/lists" -o "Dir::Cache=$PWD/cache"
        apt-get "$@" update && apt-get "$@" download debootstrap || return
    fi
    dpkg --extract debootstrap_*.deb . && rm -rf "$home/debootstrap" && mv "$fetched" "$home/debootstrap"
}

if [ ! -e "$root/$python" ]; then
    echo "Making a Debian 13 root in $root ..."
    log="$home/debootstrap.log"
    rm -rf --one-file-system "$root" "$home/new"
    if ! command -v debootstrap >/dev/null; then
        [ -e "$home/debootstrap/usr/sbin/debootstrap" ] || (fetch_debootstrap) >"$log" 2>&1 ||
            fail "debootstrap is missing, and apt could not fetch it (see $log): install debootstrap."
        export DEBOOTSTRAP_DIR="$home/debootstrap/usr/share/debootstrap"
        PATH="$home/debootstrap/usr/sbin:$PATH"
    fi
    packages=python3,python3-dev,python3-venv,g++,make,git,ca-certificates,procps
    debootstrap --variant=minbase --include="$packages" trixie "$home/new" >"$log" 2>&1 &&
        mv "$home/new" "$root" || fail "debootstrap made no Debian 13 root: see $log."
fi

# The checkout's files, and what runs in there have installed and made of them before.
checkout="$root/checkout"
[ -d "$checkout" ] || mkdir "$checkout" || exit 2
find "$checkout" "$root/tmp" -mindepth 1 -maxdepth 1 ! -name .venv ! -name .venv-uv ! -name runs \
    ! -name .redis-server -exec rm -rf --one-file-system {} +
git ls-files -z --cached --others --exclude-standard >"$home/files" ||
    fail "git cannot list the files of $PWD."
# Those that are deleted and not committed are listed too.
xargs -0 sh -c 'for path; do [ ! -e "$path" ] && [ ! -L "$path" ] || printf "%s\0" "$path"; done' sh \
    <"$home/files" | tar --create --null --files-from - | tar --extract --directory "$checkout" ||
    fail "the files of $PWD could not be copied into $root."

cp /etc/resolv.conf "$root/etc/resolv.conf"
outer=${SSL_CERT_FILE:-/$certificates}
[ ! -e "$outer" ] || cp "$outer" "$root/$certificates"
# A root that is a mount itself: programs in there may ask for namespaces of their own.
mount --bind "$root" "$root" &&
    mount -t proc proc "$root/proc" &&
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm" &&
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts" ||
    fail "$root cannot be mounted into."

# None of the outside's variables: its pip and its caches are not there.
[ $# != 0 ] || set -- test
exec chroot "$root" /usr/bin/env -i HOME=/root LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    "SSL_CERT_FILE=/$certificates" "PIP_CERT=/$certificates" \
    make --no-print-directory --directory /checkout "$@"
