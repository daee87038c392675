#!/usr/bin/env bash
# One workgroup on two subnets with a router between them: the domain master and the local master of the other subnet
# exchange their lists. First nmbd is the domain master and ours the local master, who is told the address; then ours is the
# domain master, whom nmbd finds through a WINS server; at last both are ours.
# Needs root and the lab of ../shared (network namespaces, Samba); exits 77 where they are not. MAILSLOT names the
# program.
hosts=4
source "$(dirname "$0")/lib/lab.sh"
source tests/lab/lib/neighbourhood.sh
source tests/lab/lib/subnets.sh
needs nmbd smbd smbclient jq
on() { $lab/run-in.sh "$@"; }
# Hosts 1 and 2 are 10.99.0.11 and .12; hosts 3 and 4 are 10.99.1.13 and .14.
second_subnet 3 4
check "the router routes" on 3 ping -c 1 -W 5 10.99.0.11

serve() { # KEY HOST NAME ARGS...: ours
    : >"$LAB/host$2/$1.log"
    on -b "$1" "$2" "$mailslot" serve --name "$3" --workgroup WORKGROUP "${@:4}" >/dev/null
    until_true has "$LAB/host$2/$1.log" "ready as"
}
role_is() { [ "$(role_of "$1" "$2")" = "$3" ]; }
# in_list HOST NAME...: the list that a client on HOST gets from its subnet's master has these.
in_list() {
    local name
    on "$1" timeout 30 "$mailslot" browse --workgroup WORKGROUP --json >"$LAB/list" 2>"$LAB/browse.err" || return 1
    for name in "${@:2}"; do has "$LAB/list" "\"computer\":\"$name\"" || return 1; done
}
# in_samba ADDRESS NAME COMPUTER...: the list of Samba there has these.
in_samba() {
    local name
    on 4 smbclient -N -L "$2" -I "$1" -m NT1 -W WORKGROUP --option='client use spnego=no' >"$LAB/said" 2>&1 || true
    for name in "${@:3}"; do grep -qE "^	$name +" "$LAB/said" || { cat "$LAB/said"; return 1; }; done
}

# 1. nmbd is the domain master. It takes MasterAnnouncements of other subnets only if it is a WINS server or client: without,
# it "cannot find workgroup WORKGROUP on subnet UNICAST_SUBNET". Both clocks run fast, so that the neighbour does not expire.
$lab/samba-up.sh -m -x 50 1 wins DMB1 "domain master = yes" >/dev/null
$lab/samba-up.sh -x 50 2 host NEAR2 >/dev/null
leads() { grep -qs 'is now a domain master browser for workgroup WORKGROUP' "$LAB"/host1/log/log.nmbd; }
check "nmbd is domain master" until_so 60 leads
check "its list has its neighbour" until_so 60 in_samba 10.99.0.11 DMB1 NEAR2
serve far 4 FAR4 --role non-browser
serve local 3 OURS3 --role preferred-master --domain-master 10.99.0.11
check "ours is local master of the other subnet" until_so 30 role_is 3 local local_master
# A host answers a new master's request within 30 s.
check "our list has the domain master's, over the session" until_so 60 in_list 4 OURS3 FAR4 DMB1 NEAR2
# Fetched when ours first announced itself, which may have heard FAR4 later.
check "the domain master's list has ours" until_so 60 in_samba 10.99.0.11 DMB1 DMB1 NEAR2 OURS3
# The next announcement, for which nobody waits 12 minutes: by now ours has heard FAR4.
printf '\r%s\0' OURS3 >"$LAB/announcement"
echo '10.99.0.11 DMB1' >"$LAB/lmhosts"
on 3 "$mailslot" send --name TELLER --lmhosts "$LAB/lmhosts" --from-file "$LAB/announcement" '\\DMB1\mailslot\BROWSE' >/dev/null
check "and after the next announcement what ours has heard since" until_so 60 in_samba 10.99.0.11 DMB1 DMB1 NEAR2 OURS3 FAR4
on -k local 3 >/dev/null; on -k far 4 >/dev/null
for host in 1 2; do $lab/samba-down.sh $host >/dev/null; done

# 2. Ours is the domain master; a local master of nmbd finds it through WINS.
rm -rf "$LAB"/host[12]/{log,lock,state,cache}
$lab/samba-up.sh -x 20 2 host WINS2 "wins support = yes" >/dev/null
serve far 4 FAR4 --role non-browser --wins 10.99.0.12
# nmbd asks for the name of whoever has WORKGROUP<1b>, from its subnet.
serve domain 3 OURS3 --role domain-master --wins 10.99.0.12 --answer 10.99.0.0/24
check "ours is domain master" until_so 30 role_is 3 domain domain_master
check "its list has its neighbour" until_so 60 in_list 4 OURS3 FAR4
check "the WINS server knows it" until_so 20 sh -c "$lab/run-in.sh 1 nmblookup -U 10.99.0.12 --recursion 'WORKGROUP#1b' | grep -q '^10.99.1.13 '"
$lab/samba-up.sh -m -x 20 1 lmb LMB1 "domain master = no" "wins server = 10.99.0.12" >/dev/null
check "nmbd is local master of the other subnet" until_so 60 nmbd_leads 1
check "its list has the domain master's" until_so 60 in_samba 10.99.0.11 LMB1 LMB1 OURS3 FAR4
# Fetched when nmbd first announced itself; WINS2 may have done so later.
check "our list has that of its subnet" until_so 60 in_list 4 OURS3 FAR4 LMB1
on -k domain 3 >/dev/null; on -k far 4 >/dev/null
for host in 1 2; do $lab/samba-down.sh $host >/dev/null; done

# 3. Both are ours, without a WINS server: the local master is told the domain master's address, and the domain master, whom
# the other tells its name, finds it where that came from. Lists are exchanged when the local master becomes one, and then every 12
# minutes: what it hears later is not waited for.
serve domain 1 DMB1 --role domain-master --answer 10.99.1.0/24
check "ours is domain master of one subnet" until_so 30 role_is 1 domain domain_master
serve near 2 NEAR2 --role non-browser
check "its list has its neighbour" until_so 60 in_list 2 DMB1 NEAR2
serve local 3 OURS3 --role preferred-master --domain-master 10.99.0.11
check "ours is local master of the other" until_so 30 role_is 3 local local_master
check "the local master has the domain master's list" until_so 30 in_list 4 OURS3 DMB1 NEAR2
check "the domain master has the local master's" until_so 30 in_list 2 OURS3 DMB1 NEAR2
check "nothing of ours failed" sh -c "! grep -hE 'panicked|ERROR' '$LAB'/host*/*.log"
ended domain.sh
