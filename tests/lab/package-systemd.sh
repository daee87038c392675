#!/usr/bin/env bash
# The Debian package under a real systemd: it is PID 1 of namespaces of its own, and the package is installed, started,
# used, reloaded, killed, upgraded, stopped and purged there as on any Debian. Needs root, Linux, systemd and cargo-deb;
# exits 77 where they are not, or where systemd cannot be started. MAILSLOT names the program. PACKAGE_ROOT names a Debian
# root (of debootstrap --include=systemd, say) to start; without it that is this machine's own, under an overlay that is
# thrown away, with none of its services.
set -euo pipefail
cd "$(dirname "$0")/../.."
mailslot=$(realpath "${MAILSLOT:-target/release/mailslot}")
skip() { echo "SKIPPED: $1"; exit 77; }

# The first process: makes the root, and becomes systemd.
if [ "${1:-}" = boot ]; then
    work=$2
    root=$work/root
    lower=${PACKAGE_ROOT:-/}
    mount --make-rprivate /
    mkdir "$work/over" "$root"
    mount -t tmpfs none "$work/over"
    mkdir "$work/over/upper" "$work/over/work"
    mount -t overlay overlay -o "lowerdir=$lower,upperdir=$work/over/upper,workdir=$work/over/work" "$root"
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 none "$root/dev"
    for device in null zero full random urandom tty; do
        touch "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    for directory in run tmp dev/shm; do mount -t tmpfs -o mode=1777 none "$root/$directory"; done
    chmod 755 "$root/run"
    cp "$work"/target/debian/*.deb "$root/root/mailslot.deb"
    # Nothing of this machine's own is to start.
    rm -rf "$root"/etc/systemd/system/*.wants
    rm -f "$root/etc/machine-id"
    : >"$root/etc/machine-id"
    echo DEB7 >"$root/etc/hostname"
    # Its index of manual pages takes longer than all the rest.
    rm -f "$root/var/lib/man-db/auto-update"
    ip link set lo up
    ip link add eth0 type veth peer name eth1
    ip link set eth1 up
    ip address add 192.0.2.7/24 brd + dev eth0
    ip link set eth0 up
    mkdir -p "$root/tmp/old"
    cd "$root"
    pivot_root . tmp/old
    umount -l /tmp/old
    rmdir /tmp/old
    exec env -i container=mailslot-test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --unit=basic.target --log-target=console --show-status=no
fi

[ -x "$mailslot" ] || { echo "$mailslot is not there: cargo build --release"; exit 1; }
[ "$(id -u)" = 0 ] || skip "not root"
for tool in cargo-deb dpkg dpkg-shlibdeps setpriv nsenter unshare; do
    command -v $tool >/dev/null || skip "$tool is not installed"
done
[ -x "${PACKAGE_ROOT:-}/lib/systemd/systemd" ] || skip "systemd is not installed in ${PACKAGE_ROOT:-this machine}"
work=$(mktemp -d)
mkdir -p "$work/target/release"
cp "$mailslot" "$work/target/release/mailslot"
CARGO_TARGET_DIR=$work/target packaging/deb.sh --built --fast >/dev/null
unshare --mount --net --pid --ipc --uts --cgroup --fork --kill-child "$0" boot "$work" >"$work/boot.log" 2>&1 &
outer=$!
finish() {
    kill -KILL $outer 2>/dev/null || true
    wait $outer 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
failed=0
check() { if "${@:2}" >/dev/null 2>&1; then echo "ok: $1"; else echo "FAILED: $1"; failed=$((failed + 1)); fi; }
refused() { ! "$@"; }
# Until a condition holds.
poll() { for _ in $(seq 300); do if "$@" >/dev/null 2>&1; then return 0; fi; sleep 0.1; done; return 1; }
init() { pgrep -P $outer | head -n 1; }
inside() {
    nsenter --target "$pid1" --mount --uts --ipc --net --pid --cgroup --root --wd \
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive SYSTEMD_PAGER=cat "$@"
}
running() { case $(inside systemctl is-system-running) in running | degraded) ;; *) return 1 ;; esac; }

echo "-- start systemd"
poll init || { cat "$work/boot.log"; skip "no namespaces can be made here"; }
pid1=$(init)
poll running || { tail -n 40 "$work/boot.log"; skip "systemd does not start here"; }
check "PID 1 is systemd" test "$(inside cat /proc/1/comm)" = systemd
echo "   $(inside systemctl --version | head -n 1), $(inside systemctl is-system-running || true)"

# Where packages put files, but for what dpkg, man-db and systemd write for themselves, and logs.
files() {
    inside find usr etc var run -xdev \( -path var/lib/dpkg -o -path var/cache -o -path var/log -o -path run/systemd \
        -o -path run/log -o -path run/udev -o -path var/lib/systemd -o -path run/lock \) -prune -o -print | sort
}
accounts() { inside cut -d: -f1 /etc/passwd /etc/group | sort; }
inside dpkg --purge mailslot >/dev/null 2>&1 || true
files >"$work/before"
check "there are files to compare" test "$(wc -l <"$work/before")" -gt 1000
accounts >"$work/accounts"
units() { inside systemctl list-units --all --no-legend --plain 'mailslot*'; }

echo "-- install"
inside dpkg -i /root/mailslot.deb >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; exit 1; }
check "dpkg -i says nothing wrong" refused grep -iE "error|warning|fail" "$work/dpkg.log"
check "nothing is started" test "$(inside systemctl is-active mailslot.service mailslot.socket | sort -u)" = inactive

echo "-- socket activation"
socket=/run/mailslot/mailslot.sock
group=$(inside getent group mailslot | cut -d: -f3)
member() { inside setpriv --reuid=1234 --regid=1234 --groups="$group" --inh-caps=-all --bounding-set=-all "$@"; }
stranger() { inside setpriv --reuid=1234 --regid=1234 --clear-groups --inh-caps=-all --bounding-set=-all "$@"; }
main() { inside systemctl show -P MainPID mailslot; }
journal() { inside journalctl -q --no-pager -o cat -u mailslot; }
said() { journal | grep -q "$1"; }
active() { [ "$(inside systemctl is-active mailslot)" = active ]; }
inside systemctl enable --now mailslot.socket >/dev/null 2>&1
check "the socket listens" test "$(inside systemctl is-active mailslot.socket)" = active
check "it is root's and the group's" test "$(inside stat -c '%U:%G %a' $socket)" = "root:mailslot 660"
check "the service does not run yet" test "$(inside systemctl is-active mailslot)" = inactive
stranger env MAILSLOT_SOCKET=$socket mailslot ls >"$work/stranger" 2>&1 || true
check "a stranger does not come in" grep -i "permission denied" "$work/stranger"
check "a member's first call starts it and is answered" member mailslot ls
check "it says that it is ready" poll active
inside systemctl status --no-pager mailslot >"$work/status" || true
grep -E "Active:|Status:|Memory:|Tasks:" "$work/status" || true
check "its status is its name" grep "ready as DEB7" "$work/status"

echo "-- what it is"
pid=$(main)
status() { inside awk -v key="$1:" '$1 == key { $1 = ""; print substr($0, 2) }' "/proc/$pid/status"; }
for key in Uid Gid Groups CapEff CapPrm CapBnd CapAmb NoNewPrivs Seccomp; do echo "   $key $(status $key)"; done
check "it is not root" refused grep -qw 0 <<<"$(status Uid)"
check "CAP_NET_BIND_SERVICE alone" test "$(status CapEff) $(status CapPrm) $(status CapBnd) $(status CapAmb)" = \
    "0000000000000400 0000000000000400 0000000000000400 0000000000000400"
check "no new privileges, and a filter of system calls" test "$(status NoNewPrivs) $(status Seccomp)" = "1 2"
for port in 'udp 137' 'udp 138' 'tcp 139' 'tcp 445'; do
    check "it has $port" inside grep -qi ":$(printf '%04x' "${port#* }") " "/proc/$pid/net/${port% *}"
done
score=$(inside systemd-analyze security --no-pager mailslot.service | tail -n 1)
echo "   $score"
number=$(grep -oE '[0-9]+\.[0-9]' <<<"$score" | head -n 1)
check "exposure $number is at most 2.0" awk "BEGIN { exit !(${number:-10} <= 2.0) }"

echo "-- a member's slots"
member mailslot listen --count 1 //./mailslot/soda >"$work/heard" 2>"$work/listen" &
listener=$!
check "its slot is there" poll member mailslot info soda
check "mailslot send" member mailslot send //./mailslot/soda '12 left'
wait $listener || true
check "mailslot listen prints it" grep '"12 left"' "$work/heard"
member mailslot ls >"$work/ls" || true
check "mailslot ls shows the browser's slot" grep -i browse "$work/ls"

echo "-- reload, a kill, an upgrade"
inside sh -c 'printf "[[slot]]\nname = \"news\"\n" >>/etc/mailslot/mailslot.toml'
check "systemctl reload" inside systemctl reload mailslot
check "the new slot is there" member mailslot info news
check "it is the same process" test "$(main)" = "$pid"
inside systemctl kill --signal=KILL mailslot
another() { local new; new=$(main); [ "$new" != 0 ] && [ "$new" != "$pid" ] && active; }
check "systemd starts it again after kill -9" poll another
check "and it answers" member mailslot info news
pid=$(main)
inside dpkg --force-confold -i /root/mailslot.deb >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; exit 1; }
check "an upgrade starts the new one" poll another
check "and it answers" member mailslot info news
check "the changed settings stay" inside grep news /etc/mailslot/mailslot.toml

echo "-- stop"
check "systemctl stop" inside systemctl stop mailslot.service mailslot.socket
check "it has ended well" test "$(inside systemctl show -P Result mailslot)" = success
check "the names are given up" said "the names are given up"
check "the socket is gone" refused inside test -e $socket
check "systemctl start" inside systemctl start mailslot
check "it runs" active

echo "-- remove"
inside dpkg -r mailslot >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; exit 1; }
check "dpkg -r says nothing wrong" refused grep -iE "error|fail" "$work/dpkg.log"
check "nothing runs" refused inside sh -c 'grep -qx mailslot /proc/[0-9]*/comm'
check "the settings stay" inside test -e /etc/mailslot/mailslot.toml
inside dpkg -P mailslot >"$work/dpkg.log" 2>&1 || { cat "$work/dpkg.log"; exit 1; }
check "dpkg -P says nothing wrong" refused grep -iE "error|warning|fail" "$work/dpkg.log"
inside systemctl reset-failed 2>/dev/null || true
files >"$work/after"
diff "$work/before" "$work/after" >"$work/leftovers" || true
head "$work/leftovers"
check "no file is left over" refused test -s "$work/leftovers"
accounts >"$work/accounts.after"
check "no user or group is left over" cmp "$work/accounts" "$work/accounts.after"
check "systemd knows nothing of it" test -z "$(units)"
check "dpkg knows nothing of it" refused inside dpkg -s mailslot
[ "$failed" -eq 0 ] && echo "package-systemd.sh: all passed" || {
    echo "package-systemd.sh: $failed failed"
    journal | tail -n 40
    exit 1
}
