#!/usr/bin/env bash
# The local master goes, and another takes over: ours before an nmbd and an nmbd before ours; told to stop, killed,
# frozen and thawed, started again. In the end there is one master, and nmblookup finds it.
# Needs root and the lab of ../shared (network namespaces, Samba); exits 77 where they are not. MAILSLOT names the
# program.
source "$(dirname "$0")/lib/start.sh"
needs nmbd
source tests/lab/lib/neighbourhood.sh

# In each network host 1 is an nmbd, host 2 ours, host 3 asks.
master_is() {
    local found
    found=$("$lab/run-in.sh" 3 nmblookup -M WORKGROUP 2>/dev/null | grep 'WORKGROUP<1d>' | sort -u) || true
    [ "$found" = "10.99.0.1$1 WORKGROUP<1d>" ]
}
# One master, and both know.
settled_on() {
    if [ "$1" = 2 ]; then
        [ "$(role_of 2 OURS)" = local_master ] && ! nmbd_leads 1
    else
        [ "$(role_of 2 OURS)" != local_master ] && nmbd_leads 1
    fi && master_is "$1"
}
nmbd_up() { # SPEED OS-LEVEL
    "$lab/samba-up.sh" -x "$1" 1 host NMB1 "local master = yes" "preferred master = yes" "os level = $2" >/dev/null
}
signal_ours() { pkill "-$1" -f "serve --config $LAB/host2/OURS.toml"; }
signal_nmbd() { pkill "-$1" -f "nmbd -F .*$LAB/host1/smb.conf"; }
elections() { grep -c 'an election' "$LAB/host2/OURS.log" || true; }
challenged() { [ "$(elections)" -gt "$before" ]; }
# A browser that got no answer from the master calls for an election, as a Windows client does.
call_election() { "$lab/run-in.sh" 3 "$mailslot" browser elect WORKGROUP >/dev/null 2>&1 || true; }

# Ours is master, and an nmbd of a lower level stands by; on its fast clock the five minutes until it notices a dead
# master are six seconds.
ours_before_nmbd() {
    ours 2 OURS 'role = "preferred-master"' 'os_level = 200'
    until_so 60 master_is 2 || return 1
    before=$(elections)
    nmbd_up 50 20
    # It has called for one, and lost.
    until_so 60 challenged && ! nmbd_leads 1
}
nmbd_before_ours() {
    nmbd_up 50 200
    "$lab/wait-ready.sh" -t 60 1 lmb >/dev/null
    "$lab/settle.sh" 1
    ours 2 OURS 'role = "backup"' 'os_level = 20'
    until_so 60 grep -q 'the local master.*NMB1' "$LAB/host2/OURS.log"
}

ours_released() { ours_before_nmbd && signal_ours TERM && until_so 90 nmbd_leads 1 && master_is 1; }
ours_killed() { ours_before_nmbd && signal_ours KILL && until_so 90 nmbd_leads 1 && master_is 1; }
ours_frozen() {
    ours_before_nmbd && signal_ours STOP && until_so 90 nmbd_leads 1 && "$lab/settle.sh" 1 && signal_ours CONT &&
        until_so 120 settled_on 2
}
ours_restarted() {
    ours_before_nmbd && signal_ours KILL && until_so 10 gone && ours 2 OURS 'role = "preferred-master"' 'os_level = 200' &&
        until_so 90 settled_on 2
}
nmbd_released() { nmbd_before_ours && signal_nmbd TERM && until_so 90 master_is 2; }
nmbd_killed() { nmbd_before_ours && signal_nmbd KILL && call_election && until_so 90 master_is 2; }
nmbd_frozen() {
    nmbd_before_ours && signal_nmbd STOP && call_election && until_so 90 master_is 2 && signal_nmbd CONT &&
        until_so 120 one_master
}
gone() { ! pgrep -f "serve --config $LAB/host2/OURS.toml" >/dev/null; }
# Whoever it is: nobody else, and the other knows.
one_master() { settled_on 1 || settled_on 2; }
nmbd_restarted() {
    nmbd_before_ours && "$lab/samba-down.sh" 1 >/dev/null && until_so 90 master_is 2 && rm -f "$LAB/host1/log/log.nmbd" &&
        nmbd_up 50 200 && "$lab/wait-ready.sh" -t 60 1 lmb >/dev/null && "$lab/settle.sh" 1 && until_so 90 settled_on 1
}

case_in_its_own_network() (
    out=$("$lab/net-up.sh" 3 2>/dev/null)
    eval "$out"
    trap '"$lab/net-down.sh" >/dev/null 2>&1 || true' EXIT
    began=$(date +%s%3N)
    if "$1"; then
        echo "ok: ${1//_/ }: taken over after $(($(date +%s%3N) - began)) ms in all"
    else
        echo "FAILED: ${1//_/ }"
        cat "$LAB/host2/OURS.log"
        grep -h 'local master' "$LAB/host1/log/log.nmbd" || true
        "$lab/run-in.sh" 3 nmblookup -M WORKGROUP || true
    fi
)

cases=(ours_released ours_killed ours_frozen ours_restarted nmbd_released nmbd_killed nmbd_frozen nmbd_restarted)
[ $# -eq 0 ] || cases=("$@")
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
for case in "${cases[@]}"; do case_in_its_own_network "$case" >"$results/$case" 2>&1 & done
wait
cat "$results"/*
# A job that ended early has said nothing.
passed=$(cat "$results"/* | grep -c '^ok:' || true)
[ "$passed" -eq ${#cases[@]} ] && echo "handover.sh: all passed" || { echo "handover.sh: $((${#cases[@]} - passed)) failed"; exit 1; }
