#!/usr/bin/env bash
# The neighbourhood with Samba: who announces itself is heard without a word; nmbd as master lists our computer; our
# computer as master lists Samba's, for smbclient, net, smbtorture and nmblookup, and `mailslot browse` shows what they
# show. Needs root and the lab of ../shared (network namespaces, Samba); exits 77 where they are not. MAILSLOT names the
# program.
hosts=4
source "$(dirname "$0")/lib/lab.sh"
for tool in nmbd smbd smbclient net nmblookup smbtorture tshark; do
    command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed"; exit 77; }
done
on() { $lab/run-in.sh "$@"; }
nmb1=$(on -i 1) ours=$(on -i 3)

# 1. Three nmbd that come up, and one that only listens, on a host with nothing else.
$lab/cap.sh start 4 "$LAB/passive.pcap" >/dev/null
on -b passive 4 "$mailslot" browse --passive 60 --verbose --json --workgroup LABDOM >/dev/null
passive=$LAB/host4/passive.log
until_true has "$passive" "listening on"
$lab/samba-up.sh -x 50 -w LABDOM 1 lmb NMB1 >/dev/null
for host in 2 3; do $lab/samba-up.sh -w LABDOM $host host NMB$host "server string = number $host" >/dev/null; done
for name in NMB1 NMB2 NMB3; do check "passive: $name is heard" until_true has "$passive" "$name in LABDOM"; done
check "passive: the master is heard" until_true grep -q 'the workgroup LABDOM' "$passive"
on -k passive 4 >/dev/null
until_true has "$passive" "browser messages"
for name in NMB1 NMB2 NMB3; do check "passive: $name is in the list" has "$passive" "\"computer\":\"$name\",\"workgroup\":\"LABDOM\""; done
check "passive: the comment, too" has "$passive" '"comment":"number 2"'
check "passive: the master is named" has "$passive" '"workgroup":"LABDOM","master":"NMB1"'
$lab/cap.sh stop 4 >/dev/null
tshark -r "$LAB/passive.pcap" -T fields -e ip.src -e tcp.srcport >"$LAB/fields" 2>/dev/null
check "passive: the capture has the others" test -s "$LAB/fields"
check "passive: no TCP segment on the wire" nothing "$LAB/passive.pcap" tcp
check "passive: nothing is sent" sh -c "! grep -q '^$(on -i 4)' '$LAB/fields'"
for host in 1 2 3; do $lab/samba-down.sh $host >/dev/null; done
$lab/samba-up.sh -m -x 50 -w LABDOM 1 lmb NMB1 >/dev/null
$lab/wait-ready.sh -s 1 lmb >/dev/null

# The servers of a list, as "NAME comment", sorted: smbclient's, and ours.
servers() { sed -n '/^\tServer /,/^$/p' "$1" | sed 1,2d | sed -n 's/^\t\([A-Z0-9]\{1,15\}\)  *\(.*\)$/\1 \2/p' | sed 's/ *$//' | sort; }
computers() { jq -r 'select(.computer) | "\(.computer) \(.comment)"' "$1" | sed 's/ *$//' | sort; }
browse() { on 4 timeout 60 "$mailslot" browse --workgroup LABDOM "$@" 2>"$LAB/browse.err"; }
# smbclient HOST-ADDRESS NAME: the domain is filled in only without SPNEGO.
listing() { on 4 smbclient -N -L "$2" -I "$1" -m NT1 -W LABDOM --option='client use spnego=no' 2>"$LAB/smbclient.err"; }
serve() { # ARGS...: our computer
    on -b serve 3 "$mailslot" serve --name OURS --workgroup LABDOM --comment 'our own comment' "$@" >/dev/null
    until_true has "$LAB/host3/serve.log" "ready as"
}

# 2. nmbd is the master: our host is in its list, as it says itself; browse shows what smbclient shows.
$lab/cap.sh start 4 "$LAB/serve.pcap" >/dev/null
serve --role non-browser --os-version 6.3 --server-type WORKSTATION,SERVER,NT,PRINTQ
listed() { listing "$nmb1" NMB1 >"$LAB/said" && has "$LAB/said" "$1"; }
# nmbd writes its list down some time later: its clock, which ran ahead, stands still for a while.
for _ in $(seq 90); do listed 'our own comment' >/dev/null && break; sleep 1; done
check "nmbd's list has our computer with its comment" listed 'our own comment'
browse --json >"$LAB/list"
check "browse asked nmbd's master" has "$LAB/list" '"source":"master","from":"NMB1"'
listing "$nmb1" NMB1 >"$LAB/said"
servers "$LAB/said" >"$LAB/theirs"
computers "$LAB/list" >"$LAB/ours"
check "browse shows what smbclient shows" diff "$LAB/theirs" "$LAB/ours"
check "... and it is no empty list" test "$(wc -l <"$LAB/ours")" = 2
# WORKSTATION, SERVER, PRINTQ, NT.
check "our type is in it" sh -c "jq -e 'select(.computer == \"OURS\") | .server_type % 65536 == 4611' '$LAB/list'"
check "nmbd has our type, as it writes it down" grep -rqiE '"OURS" +40001203' "$LAB/host1" --include=browse.dat
$lab/cap.sh stop 4 >/dev/null
announced() { "$mailslot" decode --json --name OURS --command HostAnnouncement "$LAB/serve.pcap" | jq -r '.browser | "\(.os_version_major).\(.os_version_minor) \(.comment)"' | sort -u; }
check "the version that we announce is as set" test "$(announced)" = "6.3 our own comment"
browse --domains >"$LAB/list"
check "browse --domains" grep -qE '^LABDOM +NMB1$' "$LAB/list"
on 4 "$mailslot" browser status --workgroup LABDOM >"$LAB/said" 2>&1 || true
check "browser status" grep -qE '^servers: +2$' "$LAB/said"
on -k serve 3 >/dev/null
$lab/samba-down.sh 1 >/dev/null

# 3. Our computer is the master.
serve --role preferred-master
asked() { on 4 "$mailslot" browser master --workgroup LABDOM | grep -q '^OURS '; }
check "our computer becomes master" until_true asked
on 4 nmblookup -M LABDOM >"$LAB/said" 2>&1 || true
check "nmblookup -M finds it" grep -q "^$ours LABDOM<1d>" "$LAB/said"
for host in 1 2; do $lab/samba-up.sh -w LABDOM $host host NMB$host "server string = number $host" >/dev/null; done
both() { browse --json >"$LAB/list"; has "$LAB/list" '"NMB1"' && has "$LAB/list" '"NMB2"'; }
check "nmbd hosts register and appear" until_true both
listing "$ours" OURS >"$LAB/said" || true
cat "$LAB/said"
servers "$LAB/said" >"$LAB/theirs"
computers "$LAB/list" >"$LAB/ours"
check "smbclient -L lists them from us" diff "$LAB/theirs" "$LAB/ours"
check "... all three" test "$(wc -l <"$LAB/theirs")" = 3
check "smbclient -L shows IPC\$" grep -qE 'IPC\$ +IPC +' "$LAB/said"
check "smbclient -L shows the workgroup" grep -qE 'LABDOM +OURS' "$LAB/said"
on 4 net rap server domain -S OURS -I "$ours" -U% -W LABDOM --option='client min protocol=NT1' --option='client max protocol=NT1' >"$LAB/said" 2>&1 || true
for name in OURS NMB1 NMB2; do check "net rap server: $name" has "$LAB/said" "$name"; done
check "smbtorture rap.basic.netserverenum" $lab/torture.sh -o "$LAB/torture" 4 OURS LABDOM rap.basic.netserverenum \
    --option='client min protocol=NT1' --option='client max protocol=NT1'
# A goodbye.
$lab/samba-down.sh 2 >/dev/null
gone() { browse --json >"$LAB/list" && has "$LAB/list" '"NMB1"' && ! grep -q '"NMB2"' "$LAB/list"; }
check "who says goodbye is gone" until_true gone
check "nothing of ours failed" sh -c "! grep -E 'panicked|ERROR' '$LAB/host3/serve.log'"
ended browse.sh
