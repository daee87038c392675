#!/usr/bin/env bash
# The Debian package: built around a program that is there, installed in a root of its own, run there with what its unit
# gives it, and removed without leftovers; the library's packages beside it. Needs root, Linux, and cargo-deb; exits 77
# where they are not. MAILSLOT names the program, LIBMAILSLOT the folder of the library (capi/target/release).
# PACKAGE_ROOT names a Debian root (of debootstrap, say) to install in; without it that is this machine's own, under an
# overlay that is thrown away. Networks and processes are those of the namespace that this makes.
set -euo pipefail
cd "$(dirname "$0")/../.."
mailslot=$(realpath "${MAILSLOT:-target/release/mailslot}")
skip() { echo "SKIPPED: $1"; exit 77; }

if [ "${1:-}" != inside ]; then
    [ -x "$mailslot" ] || { echo "$mailslot is not there: cargo build --release"; exit 1; }
    [ "$(id -u)" = 0 ] || skip "not root"
    for tool in cargo-deb dpkg dpkg-shlibdeps setpriv systemd-socket-activate systemd-analyze; do
        command -v $tool >/dev/null || skip "$tool is not installed"
    done
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # Its own target folder: `cargo deb` takes the program from there.
    mkdir -p "$work/target/release"
    cp "$mailslot" "$work/target/release/mailslot"
    CARGO_TARGET_DIR=$work/target packaging/deb.sh --built --fast >/dev/null
    library=$(realpath -m "${LIBMAILSLOT:-capi/target/release}")
    if [ -e "$library/libmailslot.so" ] && [ -e "$library/libmailslot.a" ]; then
        mkdir -p "$work/capi/release"
        cp "$library/libmailslot.so" "$library/libmailslot.a" "$work/capi/release/"
        CARGO_TARGET_DIR=$work/capi capi/packaging/deb.sh --built --fast >/dev/null
        if [ -d ../shared/sources/programs ]; then cp -r ../shared/sources/programs "$work/programs"; fi
    fi
    unshare --mount --net --pid --fork --mount-proc "$0" inside "$work"
    exit
fi

work=$2
root=$work/root
failed=0
check() { if "${@:2}" >/dev/null 2>&1; then echo "ok: $1"; else echo "FAILED: $1"; failed=$((failed + 1)); fi; }
refused() { ! "$@"; }
# Until a condition holds.
poll() { for _ in $(seq 200); do if "$@" >/dev/null 2>&1; then return 0; fi; sleep 0.05; done; return 1; }

# What is under the overlay stays as it is.
mkdir "$work/over" "$root"
mount -t tmpfs none "$work/over"
mkdir "$work/over/upper" "$work/over/work"
mount -t overlay overlay -o "lowerdir=${PACKAGE_ROOT:-/},upperdir=$work/over/upper,workdir=$work/over/work" "$root" ||
    skip "no overlay can be mounted here"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
for directory in run tmp; do mount -t tmpfs none "$root/$directory"; done
cp "$work"/target/debian/*.deb "$root/tmp/mailslot.deb"
ip link set lo up
ip link add eth0 type veth peer name eth1
ip link set eth1 up
ip address add 192.0.2.7/24 brd + dev eth0
ip link set eth0 up
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
# Where packages put files, but for what dpkg and man-db write for themselves, and logs.
files() {
    (cd "$root" && find usr etc var -xdev \( -path var/lib/dpkg -o -path var/cache -o -path var/log \) -prune -o -print &&
        find run) | sort
}
inside dpkg --purge mailslot >/dev/null 2>&1 || true
files >"$work/before"
accounts() { cut -d: -f1 "$root/etc/passwd" "$root/etc/group" | sort; }
accounts >"$work/accounts"

echo "-- install"
inside dpkg -i /tmp/mailslot.deb >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; exit 1; }
check "dpkg -i says nothing wrong" refused grep -iE "error|warning" "$work/dpkg.log"
inside dpkg -L mailslot | while read -r file; do [ -d "$root$file" ] || echo "   $file"; done
check "the program runs" inside mailslot --version
commands=$(inside mailslot --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z]*\) .*/\1/p' | grep -vx help)
check "there are commands" test "$(wc -w <<<"$commands")" -gt 10
for command in $commands; do
    check "man mailslot-$command" test -s "$root/usr/share/man/man1/mailslot-$command.1.gz"
done
for file in bash-completion/completions/mailslot zsh/vendor-completions/_mailslot fish/vendor_completions.d/mailslot.fish; do
    check "$file" test -s "$root/usr/share/$file"
done
check "the settings are right" inside mailslot serve --config /etc/mailslot/mailslot.toml --check
check "the group" inside getent group mailslot
check "no user" refused inside getent passwd mailslotd
check "/run/mailslot is root's and the group's" test "$(inside stat -c '%U:%G %a' /run/mailslot)" = "root:mailslot 750"
check "it is not enabled" refused test -e "$root/etc/systemd/system/multi-user.target.wants/mailslot.service"

echo "-- units"
units=$root/usr/lib/systemd/system
check "systemd knows all that they say" systemd-analyze verify --root="$root" --man=no mailslot.service mailslot.socket
said=$(systemd-analyze security --offline=true --root="$root" mailslot.service | tail -n 1)
echo "   $said"
score=$(grep -oE '[0-9]+\.[0-9]' <<<"$said" | head -n 1)
check "exposure $score is at most 2.0" awk "BEGIN { exit !($score <= 2.0) }"
for line in Type=notify DynamicUser=yes CapabilityBoundingSet=CAP_NET_BIND_SERVICE AmbientCapabilities=CAP_NET_BIND_SERVICE; do
    check "$line" grep -qx "$line" "$units/mailslot.service"
done

echo "-- run as the units would, by systemd's own socket activation"
group=$(inside getent group mailslot | cut -d: -f3)
service=(setpriv --reuid=61184 --regid="$group" --clear-groups --no-new-privs --bounding-set=-all,+net_bind_service
    --inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service)
socket=/run/mailslot/mailslot.sock
# A program of this machine, in the group or not.
member() { inside setpriv --reuid=1234 --regid=1234 --groups="$group" --inh-caps=-all "$@"; }
stranger() { inside setpriv --reuid=1234 --regid=1234 --clear-groups --inh-caps=-all "$@"; }
systemd-socket-activate -l "$root$socket" chroot "$root" "${service[@]}" /usr/bin/mailslot serve \
    --config /etc/mailslot/mailslot.toml --name DEB7 --workgroup DEBS >"$work/service.log" 2>&1 &
activator=$!
poll test -S "$root$socket"
# As SocketGroup= and SocketMode= have it.
chgrp "$group" "$root$socket"
chmod 660 "$root$socket"
stranger env MAILSLOT_SOCKET=$socket mailslot ls >"$work/stranger" 2>&1 || true
check "a stranger does not come in" grep -i "permission denied" "$work/stranger"
check "a member of the group starts it and is answered" poll member env MAILSLOT_SOCKET=$socket mailslot ls
poll grep -q "ready as DEB7" "$work/service.log"
check "it has its names" grep "ready as DEB7" "$work/service.log"
pid=$activator
status() { awk -v key="$1:" '$1 == key { $1 = ""; print substr($0, 2) }' "/proc/$pid/status"; }
for key in Uid Gid Groups CapEff CapPrm CapBnd CapAmb NoNewPrivs; do echo "   $key $(status $key)"; done
check "a user of its own" test "$(status Uid)" = "61184 61184 61184 61184"
check "CAP_NET_BIND_SERVICE alone" test "$(status CapEff) $(status CapPrm) $(status CapBnd)" = \
    "0000000000000400 0000000000000400 0000000000000400"
for port in 'udp 137' 'udp 138' 'tcp 139' 'tcp 445'; do
    check "it has $port" grep -qi ":$(printf '%04x' "${port#* }") " "/proc/$pid/net/${port% *}"
done
check "the browser's slots, seen by a member" member env MAILSLOT_SOCKET=$socket mailslot info BROWSE
check "a member is told its names" member env MAILSLOT_SOCKET=$socket mailslot names
check "and asks by it" member env MAILSLOT_SOCKET=$socket mailslot status DEB7
check "a stranger is not and does not" refused stranger env MAILSLOT_SOCKET=$socket mailslot names
kill -HUP $pid
check "SIGHUP reads the file again" poll grep reloaded "$work/service.log"
kill -TERM $pid
wait $pid && ended=0 || ended=$?
check "SIGTERM ends it with 0" test $ended = 0
check "the names are given up" grep "the names are given up" "$work/service.log"
rm -f "$root$socket"

echo "-- the library"
if [ ! -d "$work/capi/debian" ]; then
    echo "SKIPPED: no libmailslot: cargo build --release in capi/"
elif [ ! -d "$work/programs" ] || ! inside gcc --version >/dev/null 2>&1; then
    echo "SKIPPED: no gcc in this root, or no ../shared/sources"
else
    cp "$work"/capi/debian/*.deb "$root/tmp/"
    cp -r "$work/programs" "$root/tmp/"
    inside sh -c 'dpkg -i /tmp/libmailslot*.deb' >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; exit 1; }
    check "dpkg -i says nothing wrong" refused grep -iE "error|warning" "$work/dpkg.log"
    inside dpkg -L libmailslot0 libmailslot-dev | while read -r file; do [ -d "$root$file" ] || echo "   $file"; done
    inside mkdir -m 777 /tmp/made
    flags="-I/usr/include/mailslot -L/usr/lib -lmailslot"
    said=$(inside pkg-config --cflags --libs mailslot 2>/dev/null) && flags=$said || echo "   no pkg-config in this root"
    for source in Server1 Client; do
        check "gcc $source.cpp $flags" inside sh -c \
            "gcc -w -x c /tmp/programs/$source.cpp -o /tmp/made/$source $(sed 's/-L.*//' <<<"$flags") -x none $(grep -o -- '-[lL].*' <<<"$flags")"
    done
    check "it looks for libmailslot.so.0" grep -q "libmailslot.so.0 => /" <(inside ldd /tmp/made/Client)
    check "and it is static, too" inside gcc -w -x c -I/usr/include/mailslot /tmp/programs/Client.cpp \
        -o /tmp/made/Static -x none /usr/lib/libmailslot.a -lpthread -ldl -lm
    stranger /tmp/made/Server1 >"$work/server" 2>&1 &
    server=$!
    check "the server has its slot" poll stranger mailslot info myslot
    check "Client writes" grep -qx "Wrote 14 bytes" <(stranger /tmp/made/Client .)
    check "Static writes" grep -qx "Wrote 14 bytes" <(stranger /tmp/made/Static .)
    printed() { [ "$(grep -cx "This is a test" "$work/server")" = 2 ]; }
    check "Server1 prints both" poll printed
    kill -KILL $server
    wait $server 2>/dev/null || true
    # Its user's node ends a second after it.
    poll refused inside sh -c 'grep -qx mailslot /proc/[0-9]*/comm' || true
    inside dpkg -P libmailslot-dev libmailslot0 >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; exit 1; }
    check "dpkg -P says nothing wrong" refused grep -iE "error|warning" "$work/dpkg.log"
fi

echo "-- remove"
inside dpkg -r mailslot >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; exit 1; }
check "the settings stay" test -e "$root/etc/mailslot/mailslot.toml"
check "the program is gone" refused test -e "$root/usr/bin/mailslot"
mkdir -p "$root/var/lib/private/mailslot"
inside dpkg -P mailslot >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; exit 1; }
check "dpkg -P says nothing wrong" refused grep -iE "error|warning" "$work/dpkg.log"
files >"$work/after"
diff "$work/before" "$work/after" >"$work/leftovers" || true
head "$work/leftovers"
check "no file is left over" refused test -s "$work/leftovers"
accounts >"$work/accounts.after"
check "no user or group is left over" cmp "$work/accounts" "$work/accounts.after"
check "dpkg knows nothing of it" refused inside dpkg -s mailslot
[ "$failed" -eq 0 ] && echo "package.sh: all passed" || { echo "package.sh: $failed failed"; cat "$work/service.log"; exit 1; }
