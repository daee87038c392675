#!/usr/bin/env bash
# Ours and nmbd on one host: ours on an address of its own, with a name of its own, gets what is for it and all
# broadcasts, and nmbd loses nothing. On another host, programs without rights ask nmbd through a service. Needs root and the lab of ../shared (network namespaces, Samba); exits 77 where
# they are not. MAILSLOT names the program.
hosts=3
source "$(dirname "$0")/lib/lab.sh"
source tests/lab/lib/slots.sh
command -v nmbd >/dev/null || { echo "SKIPPED: nmbd is not installed"; exit 77; }

sizes=(0 400 424)
mkdir "$LAB/m"
$messages make "$LAB/m" "${sizes[@]}" 7
nmb=$(on -i 1) beside=10.99.0.50
$lab/cap.sh start 3 "$LAB/all.pcap"
$lab/samba-up.sh -w LABDOM 1 host NMB1 >/dev/null
until_true knows 2 'NMB1#00'
# nmbd has read the list of interfaces and does not know this address.
on 1 ip addr add $beside/24 broadcast 10.99.0.255 dev eth0
on -b tap 1 python3 $lab/nmbd_tap.py "$LAB/host1/nmbd" '\MAILSLOT\group' 60 --json >/dev/null
until_true has "$LAB/host1/tap.log" ready

# Whether nmbd answers a query for its name, by broadcast or at its address.
answers() { on 2 nmblookup "$@" 2>/dev/null | grep -q "^$nmb "; }
nmbd_answers() {
    check "nmbd $1: its name by broadcast" answers -B 10.99.0.255 'NMB1#20'
    check "nmbd $1: its name at its address" answers -U "$nmb" 'NMB1#20'
    check "nmbd $1: its node status" sh -c "$lab/run-in.sh 2 nmblookup -A $nmb | grep -q 'NMB1 *<20>'"
}
nmbd_answers "before"
listen ours 1 BESIDE --interface $beside host group all
nmbd_answers "beside ours"

# Ours is found at the alias and at no other address.
on 2 nmblookup -B 10.99.0.255 'BESIDE#20' >"$LAB/said" 2>&1 || true
check "BESIDE is at $beside" has "$LAB/said" "$beside BESIDE<20>"
check "and nowhere else" sh -c "! grep -F '$nmb BESIDE' '$LAB/said'"
on 2 nmblookup -A $beside >"$LAB/said" 2>&1 || true
check "its node status at $beside" has "$LAB/said" BESIDE
check "that is not nmbd's" sh -c "! grep -F NMB1 '$LAB/said'"

to_all 2 BESIDE "${sizes[@]}"
all_arrived 1 ours BESIDE "${sizes[@]}"
# And from its own host.
check "from nmbd's host to the other" send 1 --interface $beside --from-file "$LAB/m/7" '\\BESIDE\mailslot\host'
arrived "arrived, too" 1 ours host "${sizes[@]}" 7

# nmbd gets the same broadcasts, each by its two sockets (interop.md 5.1), and its unicasts; messages of 0 bytes and
# those past 576 bytes of datagram it does not hand on.
check "ours to nmbd" send 2 --from-file "$LAB/m/7" '\\NMB1\mailslot\group'
until_true came "$LAB/host1/tap.log" 3 || true
check "nmbd got its broadcast twice and its unicast" $messages check "$LAB/host1/tap.log" 400 400 7
nmbd_answers "after"
$lab/run-in.sh -k ours 1
until_true sh -c "! $lab/run-in.sh 2 nmblookup -B 10.99.0.255 'BESIDE#20' | grep -q '^[0-9]'"
nmbd_answers "without ours again"

# A service on another host, and there a program without any right: the service asks for it, nmbd answers.
cp "$mailslot" "$LAB/mailslot"
chmod 755 "$LAB" "$LAB/mailslot"
ordinary=(setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs --inh-caps=-all --bounding-set=-all)
served=$(on -i 3) socket=$LAB/service.sock
on -b service 3 "$mailslot" serve --name SERVED --workgroup LABDOM --role none --socket "$socket" --socket-mode 0666 >/dev/null
check "the service runs" until_true has "$LAB/host3/service.log" "ready as SERVED<00> in LABDOM<00>"
by_service() { on 3 env MAILSLOT_SOCKET="$socket" "${ordinary[@]}" timeout 60 "$LAB/mailslot" "$@"; }
by_own() { on 3 "${ordinary[@]}" timeout 60 "$LAB/mailslot" "$1" --workgroup LABDOM "${@:2}"; }
# same_both_ways WHAT ARGS...: the service's answer is in $LAB/said, and a node of the program's own gives the same.
same_both_ways() {
    by_service "${@:2}" >"$LAB/said" 2>"$LAB/errors" || cat "$LAB/errors"
    by_own "${@:2}" >"$LAB/own" 2>&1 || true
    check "$1: the same by the service and without" cmp "$LAB/said" "$LAB/own"
}
same_both_ways "lookup -B" lookup -B 10.99.0.255 'NMB1<20>'
check "nmbd's name by the service, by broadcast" has "$LAB/said" "$nmb NMB1<20> unique (by broadcast $nmb)"
same_both_ways "lookup -U" lookup --json -U "$nmb" 'NMB1<20>'
check "nmbd's name by the service, at its address" has "$LAB/said" '"origin":"server"'
same_both_ways "status" status --json NMB1
check "nmbd's names by the service" has "$LAB/said" '"name":"NMB1<20>"'
same_both_ways "status of the service itself" status "$served"
check "it tells its names" has "$LAB/said" 'SERVED<20>'
check "who is in the workgroup, by the service" by_service lookup LABDOM
by_service lookup LABDOM >"$LAB/said"
check "nmbd is" has "$LAB/said" "$nmb LABDOM<00> group"
check "the service is" has "$LAB/said" "$served LABDOM<00> group"
check "a subnet is searched by the service" by_service status --json 10.99.0.8/29
by_service status --json 10.99.0.8/29 2>"$LAB/errors" | sort >"$LAB/said"
check "with two answers" test "$(sed -n 's/.*"computer":"\([A-Z0-9]*\)".*/\1/p' "$LAB/said" | xargs)" = "NMB1 SERVED"
check "of eight" has "$LAB/errors" "2 of 8 addresses answered"
check "names by the service" by_service names
by_service names >"$LAB/said" 2>&1
check "they are its own" has "$LAB/said" "SERVED<20>           unique active on $served"
check "a name that nobody has" test "$(by_service lookup NOBODY 2>&1 || true)" = "mailslot: NOBODY<00>: nobody answered"
$lab/run-in.sh -k service 3

$lab/cap.sh stop 3
# Its requests come from port 137; those of a node of the program's own, from any other.
asked="nbns.flags.response == 0 && ip.src == $served && ip.dst == $nmb"
check "the service has asked nmbd itself" test "$(on_wire "$LAB/all.pcap" "$asked && udp.srcport == 137" | wc -l)" -ge 3
check "tshark finds nothing malformed" nothing "$LAB/all.pcap" "_ws.malformed && (ip.src == $beside || ip.src == 10.99.0.12)"
ended beside-nmbd.sh
