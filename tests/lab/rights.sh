#!/usr/bin/env bash
# Ports 137, 138, 139 and 445 as an ordinary user with CAP_NET_BIND_SERVICE alone; without it the program says what to
# do. Needs root and the lab of ../shared (network namespaces); exits 77 where it is not. MAILSLOT names the program.
hosts=2
source "$(dirname "$0")/lib/lab.sh"
source tests/lab/lib/slots.sh
command -v setpriv >/dev/null || { echo "SKIPPED: setpriv is not installed"; exit 77; }

# Somebody else's user may read neither the build folder nor the checkout.
cp "$mailslot" "$LAB/mailslot"
chmod 755 "$LAB" "$LAB/mailslot"
program=$LAB/mailslot
ordinary=(setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs)
may_bind=(--inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service
    --bounding-set=-all,+net_bind_service)

pid=$(on -b ours 1 "${ordinary[@]}" "${may_bind[@]}" "$program" listen --name OURS --workgroup LABDOM --json soda)
log=$LAB/host1/ours.log
check "listens" until_true has "$log" "listening as OURS in LABDOM on eth0"
field() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$pid/status"; }
check "is the program" test "$(readlink "/proc/$pid/exe")" = "$program"
check "runs as nobody, in no group of root's" test "$(field Uid | tr '\t' ' ') / $(field Gid | tr '\t' ' ') / $(field Groups)" = "65534 65534 65534 65534 / 65534 65534 65534 65534 / "
for set in CapEff CapPrm CapBnd; do
    check "$set is CAP_NET_BIND_SERVICE alone" test "$(field $set)" = 0000000000000400
done
on 1 ss -Hlnup >"$LAB/sockets"
on 1 ss -Hlntp >>"$LAB/sockets"
for port in 137 138 139 445; do
    check "port $port is the program's" grep -qE ":$port .*pid=$pid," "$LAB/sockets"
done
users() { for process in $(ip netns pids "$($lab/run-in.sh -n 1)"); do sed -n 's/^Uid:[[:space:]]*//p' "/proc/$process/status"; done; }
check "nothing on this host runs as root" test "$(users | tr '\t' '\n' | sort -u)" = 65534
check "is found" until_true knows 2 'OURS#20'
check "gets a message" send 2 '\\OURS\mailslot\soda' hello
check "prints it" until_true has "$log" '"text":"hello"'

# Without the right.
status=0
on 2 "${ordinary[@]}" --inh-caps=-all --bounding-set=-all "$program" listen soda >"$LAB/said" 2>&1 || status=$?
check "without the right: status 2" test "$status" = 2
check "it names the port" has "$LAB/said" "cannot listen on UDP 10.99.0.12:137"
check "it says what to do" has "$LAB/said" 'sudo setcap cap_net_bind_service+ep $(readlink -f $(command -v mailslot))'
check "or what else" has "$LAB/said" '--name-port 10137 --datagram-port 10138'
# The other ports it names do work, and so does sending, which needs no right.
on -b high 2 "${ordinary[@]}" --inh-caps=-all --bounding-set=-all "$program" listen --name HIGH --name-port 10137 --datagram-port 10138 soda >/dev/null
check "with other ports it listens" until_true has "$LAB/host2/high.log" "listening as HIGH"
check "sends without a right" on 2 "${ordinary[@]}" --inh-caps=-all --bounding-set=-all "$program" send '\\OURS\mailslot\soda' again
check "that arrives" until_true has "$log" '"text":"again"'
ended rights.sh
