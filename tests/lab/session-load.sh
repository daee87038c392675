#!/usr/bin/env bash
# Many sessions at once: a thousand, then 200 writers of 10 KB messages: nothing is lost or doubled and memory is bounded;
# writers that are killed at any step leave nothing behind. Needs root and the lab of ../shared (network namespaces);
# exits 77 where it is not. MAILSLOT names the program; LOAD says how long the writers write: xCOUNT messages each
# (default x10), or SECONDS.
hosts=2
source "$(dirname "$0")/lib/lab.sh"
load=${LOAD:-x10}
loader=$PWD/tests/lab/lib/load.py
on() { $lab/run-in.sh "$@"; }
number() { sed -n "s/.*\"$2\": \([0-9]*\).*/\1/p" "$1"; }

# What arrives is told from the sizes, patterns and numbers of the messages.
reader() {
    on -b "$1" 1 sh -c "ulimit -n 4096; '$mailslot' listen --name $1 --workgroup LABDOM --raw load | '$loader' check $2 $LAB/$1.json" >/dev/null
    until_true has "$LAB/host1/$1.log" "listening as"
    pid=$(for one in $(ip netns pids "$(on -n 1)"); do
        if [ "$(readlink "/proc/$one/exe")" = "$mailslot" ]; then echo "$one"; fi
    done)
}
ended_reader() {
    grep VmHWM "/proc/$pid/status" | tee "$LAB/$1.rss"
    kill -INT "$pid"
    until_true test -s "$LAB/$1.json"
    cat "$LAB/$1.json"
}

reader THOUSAND 1000
on 2 "$loader" at-once 10.99.0.11 load 1000 1000 | tee "$LAB/said"
check "1000 sessions at once" has "$LAB/said" '"sessions": 1000, "told": {"00000000": 1000}'
ended_reader THOUSAND
check "1000 messages arrived, none twice" has "$LAB/THOUSAND.json" '{"came": 1000, "twice": 0, "damaged": 0}'
# A session that is silent holds no buffer.
check "in less than 64 MiB" test "$(tr -dc 0-9 <"$LAB/THOUSAND.rss")" -lt 65536

reader WRITERS 10240
on 2 "$loader" writers 10.99.0.11 load 200 "$load" 10240 | tee "$LAB/said"
written=$(number "$LAB/said" 00000000)
ended_reader WRITERS
check "$written messages of 200 writers arrived, none twice" \
    has "$LAB/WRITERS.json" "{\"came\": $written, \"twice\": 0, \"damaged\": 0}"
check "as many as were written" test "$written" -ge 2000
# The slot may hold 16 MiB, the sessions as much.
check "in less than 96 MiB" test "$(tr -dc 0-9 <"$LAB/WRITERS.rss")" -lt 98304

# A service says how many sessions are open.
printf '[[slot]]\nname = "load"\nprint = true\n' >"$LAB/serve.toml"
on -b serve 1 "$mailslot" serve --config "$LAB/serve.toml" --name SERVER --workgroup LABDOM --metrics 127.0.0.1:9138 >/dev/null
gauge() { on 1 python3 -c 'import urllib.request; print(urllib.request.urlopen("http://127.0.0.1:9138/metrics").read().decode())'; }
says() { gauge | grep -qE "$1"; }
until_true says 'sessions_open 0$'
on 2 "$loader" cut 10.99.0.11 load | tee "$LAB/said"
check "killed four times at each step" has "$LAB/said" '{"negotiate": 4, "session setup": 4, "tree connect": 4, "write": 4}'
check "all 16 sessions were let in" says 'sessions_accepted(_total)? 16$'
check "none is open, and nothing is held" until_true says 'sessions_open 0$'
check "no half message arrived" sh -c "! grep '^{' $LAB/host1/serve.log"
# Our own sender, killed wherever it is.
$messages make "$LAB" 60000
for tenths in 1 2 3 4 5 6 7 8; do
    on 2 timeout -s KILL 0.$tenths "$mailslot" send --name WRITER --workgroup LABDOM --repeat 100000 --from-file "$LAB/60000" '\\SERVER\mailslot\load' >/dev/null 2>&1 || true
done
check "our sender, killed eight times: none of its sessions is open" until_true says 'sessions_open 0$'
gauge | grep -E 'sessions_(open|accepted|closed|held|unfinished)' || true
check "all that arrived is whole" sh -c "! grep '^{' $LAB/host1/serve.log | grep -v '\"size\":60000,'"
check "and something did" grep -q '^{' "$LAB/host1/serve.log"
ended session-load.sh
