#!/usr/bin/env bash
# Our node as P, M and H node with a real WINS server, Samba's nmbd: it registers its names there, refreshes them, is
# found through it, finds others through it, and gives its names up at the end. Needs root and the lab of ../shared
# (network namespaces, Samba); exits 77 where they are not. MAILSLOT names the program.
hosts=4
source "$(dirname "$0")/lib/lab.sh"
source tests/lab/lib/slots.sh
for tool in nmbd nmblookup tshark; do
    command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed"; exit 77; }
done

wins=$(on -i 1) ours=$(on -i 3)
mkdir "$LAB/m"
$messages make "$LAB/m" 0 7 400 424
$lab/cap.sh start 4 "$LAB/all.pcap"
# Leases of 6 s. No node refreshes more often than every 5 minutes (MS-NBTE 3.1.4.1), so ours runs on a clock that is a
# hundred times as fast: it does every 3 s, and a name that was not refreshed is gone after 6 s.
fast=$(ls /usr/lib/*/faketime/libfaketime.so.1 2>/dev/null | head -1)
[ -n "$fast" ] || { echo "SKIPPED: libfaketime is not installed"; exit 77; }
slow=$mailslot
cat >"$LAB/fast" <<RUN
#!/bin/sh
LD_PRELOAD=$fast FAKETIME='+0 x100' FAKETIME_NO_CACHE=1 exec $slow "\$@"
RUN
chmod 755 "$LAB/fast"
$lab/samba-up.sh -w WINSDOM 1 wins WINS1 "min wins ttl = 6" "max wins ttl = 6" >/dev/null
$lab/wait-ready.sh 1 udp:137 >/dev/null
# Whether the WINS server has the name, at this address.
asked() { on 2 nmblookup -U "$wins" --recursion "$1" >"$LAB/said" 2>&1 && grep -q "^$2 " "$LAB/said"; }
# The server itself is alive; its own names need not be in its list any more.
not_there() { on 2 nmblookup -A "$wins" | grep -q WINS1 && ! asked "$1" "$2"; }
# packets FILTER: how many of the node's packets to the server match.
packets() { tshark -r "$LAB/all.pcap" -Y "nbns && ip.src == $ours && ip.dst == $wins && ($1)" 2>/dev/null | wc -l; }
several() { [ "$(packets "$1")" -ge "$2" ]; }

for type in p m h; do
    name=OURS${type^^}
    mailslot=$LAB/fast
    listen $type 3 $name --node-type $type --wins "$wins" host
    mailslot=$slow
    for suffix in 00 20; do
        check "$type node: $name<$suffix> is in the WINS server" asked "$name#$suffix" "$ours"
    done
    # A server tells no members of a group: the RFC's 255.255.255.255, or nmbd's 0.0.0.0.
    on 2 python3 $lab/mslot.py query --to "$wins" 'LABDOM#00' >"$LAB/said" 2>&1 || true
    check "$type node: its workgroup is, as a group" grep -E 'addresses=(255\.255\.255\.255|0\.0\.0\.0)$' "$LAB/said"
    others=$(on 2 nmblookup -B 10.99.0.255 "$name#20" 2>/dev/null | grep -c "^$ours " || true)
    if [ $type = p ]; then
        check "p node: broadcasts are not answered" test "$others" = 0
    else
        check "$type node: broadcasts are answered" test "$others" -ge 1
    fi
    # By name through WINS alone, from a P node on another host.
    for size in 0 400 424; do
        check "$type node: $size bytes to it by WINS" send 2 --node-type p --wins "$wins" --from-file "$LAB/m/$size" "\\\\$name\\mailslot\\host"
    done
    arrived "$type node: all arrived" 3 $type host 0 400 424
    # A server's group is everybody, that is a broadcast; a P node hears none.
    check "$type node: a P node's message to the workgroup" send 2 --node-type p --wins "$wins" --from-file "$LAB/m/400" '\\LABDOM\mailslot\host'
    check "$type node: goes by broadcast" has "$LAB/said" "at 10.99.0.255:138"
    # What comes after it shows that it is not on its way.
    check "$type node: one more to it" send 2 --node-type p --wins "$wins" --from-file "$LAB/m/7" "\\\\$name\\mailslot\\host"
    if [ $type = p ]; then expected=(0 400 424 7); else expected=(0 400 424 400 7); fi
    arrived "$type node: that arrived, if it hears broadcasts" 3 $type host "${expected[@]}"
    # Registrations repeat until the lease is refreshed.
    check "$type node: refreshes its names" until_true several "nbns.flags.opcode == 8 && nbns.name contains \"$name\"" 2
    since=$(date +%s)
    until_true sh -c "test \$(date +%s) -gt $((since + 7))"
    check "$type node: is there when the lease would have ended twice" asked "$name#20" "$ours"
    $lab/run-in.sh -k $type 3
    check "$type node: gave its names up" until_true not_there "$name#20" "$ours"
    check "$type node: by a release" until_true several "nbns.flags.opcode == 6 && nbns.name contains \"$name\"" 2
    status=0
    send 2 --node-type p --wins "$wins" "\\\\$name\\mailslot\\host" x || status=$?
    check "$type node: then it is not found" test "$status" = 1
done
$lab/cap.sh stop 4
check "tshark finds nothing malformed" nothing "$LAB/all.pcap" "_ws.malformed && (ip.src == $ours || ip.src == 10.99.0.12)"
ended wins.sh
