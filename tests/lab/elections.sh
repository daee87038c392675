#!/usr/bin/env bash
# Who becomes local master: elections between two nmbd and ours, at `os level` 0 to 255 drawn at random, each in a
# network of its own. The strongest must win every one of them, and ours must know who it is. Beside them ours alone: it
# must become master; how long that takes is printed.
# ROUNDS: how many elections (5); JOBS: how many at a time (5); SEED: what the draw starts from.
# Needs root and the lab of ../shared (network namespaces, Samba); exits 77 where they are not. MAILSLOT names the
# program.
source "$(dirname "$0")/lib/start.sh"
needs nmbd
source tests/lab/lib/neighbourhood.sh
rounds=${ROUNDS:-5} jobs=${JOBS:-5} seed=${SEED:-$RANDOM}

# election NUMBER: prints one line; fails unless the strongest has won.
election() (
    out=$("$lab/net-up.sh" 4 2>/dev/null)
    eval "$out"
    trap '"$lab/net-down.sh" >/dev/null 2>&1 || true' EXIT
    RANDOM=$((seed + 7919 * $1))
    # Equals are decided by how long they have run, which a fast clock spoils.
    while a=$((RANDOM % 256)) b=$((RANDOM % 256)) c=$((RANDOM % 256)); [ $a = $b ] || [ $a = $c ] || [ $b = $c ]; do :; done
    first=$((a > b ? 1 : 2))
    best=$((a > b ? a : b))
    winner=$((c > best ? 3 : first))
    # nmbd's clock runs fast until one of them is master; `preferred master` has each call for an election.
    for host in 1 2; do
        level=$((host == 1 ? a : b))
        "$lab/samba-up.sh" -x 50 $host host NMB$host "local master = yes" "preferred master = yes" "os level = $level" >/dev/null
    done
    until_so 60 nmbd_leads $first || { echo "FAILED: election $1: nmbd $a against nmbd $b has no end"; return 1; }
    "$lab/settle.sh" 1
    "$lab/settle.sh" 2
    began=$(date +%s%3N)
    ours 3 OURS 'role = "preferred-master"' "os_level = $c"
    decided() {
        if [ $winner = 3 ]; then
            [ "$(role_of 3 OURS)" = local_master ] && ! nmbd_leads 1 && ! nmbd_leads 2
        else
            grep -q "the local master.*NMB$winner" "$LAB/host3/OURS.log" && [ "$(role_of 3 OURS)" != local_master ] &&
                nmbd_leads $winner && ! nmbd_leads $((3 - winner))
        fi
    }
    said="election $1: nmbd $a, nmbd $b, ours $c: host $winner"
    if until_so 90 decided; then
        echo "ok: $said after $(($(date +%s%3N) - began)) ms"
    else
        echo "FAILED: $said has not won"
        cat "$LAB/host3/OURS.log"
        grep -h 'local master' "$LAB"/host[12]/log/log.nmbd
        return 1
    fi
)

# MS-BRWS 3.3.5.8: four RequestElections a second apart, after a delay of up to 3 s; before that the names (0.75 s) and
# FindMaster (3 requests of 1.5 s); after it the master's names (twice 0.75 s).
alone() (
    out=$("$lab/net-up.sh" 2 2>/dev/null)
    eval "$out"
    trap '"$lab/net-down.sh" >/dev/null 2>&1 || true' EXIT
    began=$(date +%s%3N)
    ours 1 ALONE 'role = "potential"'
    leads() { [ "$(role_of 1 ALONE)" = local_master ]; }
    until_so 60 leads || { echo "FAILED: alone, and no master after 60 s"; cat "$LAB/host1/ALONE.log"; return 1; }
    took=$(($(date +%s%3N) - began))
    until_so 10 finds || { echo "FAILED: nmblookup -M does not find it"; return 1; }
    echo "ok: alone on the net, master after $took ms, and nmblookup -M finds it"
)
finds() { "$lab/run-in.sh" 2 nmblookup -M WORKGROUP 2>/dev/null | grep -q "^10\.99\.0\.11 WORKGROUP<1d>"; }

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
echo "$rounds elections, SEED=$seed"
alone >"$results/alone" 2>&1 &
for ((n = 1; n <= rounds; n++)); do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || true; done
    election $n >"$results/$n" 2>&1 &
done
wait
cat "$results/alone" $(ls "$results"/[0-9]* | sort -V)
# A job that ended early has said nothing.
passed=$(cat "$results"/* | grep -c '^ok:' || true)
[ "$passed" -eq $((rounds + 1)) ] && echo "elections.sh: all passed" || { echo "elections.sh: $((rounds + 1 - passed)) failed"; exit 1; }
