#!/bin/sh
# Becomes a redis-server with the arguments given: the one on the PATH, or else Debian's package,
# fetched by apt and unpacked into .redis-server/, without root. Exit status 2 and one sentence
# where there is neither.
set -u
cd "$(dirname "$0")/.." || exit 2

command -v redis-server >/dev/null && exec redis-server "$@"

home="$PWD/.redis-server"

# The program, and the libraries that it is linked with and the system lacks. $@: apt's options.
download() {
    packages="redis-server redis-tools"
    for package in $(apt-cache "$@" depends redis-tools | sed -n 's/^ *Depends: \([a-z]\)/\1/p'); do
        dpkg --status "$package" >/dev/null 2>&1 || packages="$packages $package"
    done
    # shellcheck disable=SC2086
    apt-get "$@" download $packages
}

fetch() {
    mkdir -p "$1/lists/partial" "$1/cache/archives/partial" && cd "$1" || return
    if ! download; then
        # Lists of packages of our own, in a folder that we may write.
        set -- -o "Dir::State::lists=$PWD/lists" -o "Dir::Cache=$PWD/cache"
        apt-get "$@" update && download "$@" || return
    fi
    for package in *.deb; do
        dpkg --extract "$package" . || return
    done
    rm -rf lists cache ./*.deb
}

if [ ! -x "$home/usr/bin/redis-server" ]; then
    fetched=$(mktemp -d "$home.XXXXXX") || exit 2
    if ! log=$(fetch "$fetched/new" 2>&1); then
        rm -rf "$fetched"
        echo "$log" >&2
        echo "redis-server is missing, and apt could not fetch Debian's: install redis-server, or" \
            "leave its tests out with: make test ARGS='-m \"not redis\"'" >&2
        exit 2
    fi
    mv "$fetched/new" "$home" 2>/dev/null
    rm -rf "$fetched"
fi
LD_LIBRARY_PATH=$(echo "$home"/usr/lib/*-linux-gnu) exec "$home/usr/bin/redis-server" "$@"
