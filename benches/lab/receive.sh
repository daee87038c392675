#!/bin/bash
# receive.sh [-n RUNS] [-l LAB_SCRIPTS]    CPU time per datagram received, ours against a bare recvmmsg loop and nmbd
#
# Needs root and the lab (../shared/lab, or where -l says); otherwise says so and exits 77. Measures the three in turn,
# RUNS times (default 5), at 20,000 application messages of 50 bytes a second, then the losses of ours and of the loop
# at 50,000/s, then ours under floods, with real messages in between. Prints ratios and asserts nothing: on a busy
# machine they shrink towards 1, so look at the load it prints, too.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
runs=5 lab=$here/../shared/lab
while getopts n:l:h o; do
  case $o in
    n) runs=$OPTARG;; l) lab=$OPTARG;; *) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2;;
  esac
done
[ -x "$lab/net-up.sh" ] || { echo "skipped: no lab in $lab"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "skipped: the lab needs root"; exit 77; }
receiver=${RECEIVER:-}
if [ -z "$receiver" ]; then
  cargo build --quiet --release --example receiver --manifest-path "$here/Cargo.toml"
  receiver=${CARGO_TARGET_DIR:-$here/target}/release/examples/receiver
fi
out=$("$lab/net-up.sh" -s 4) || exit $?
eval "$out"
trap '"$lab/net-down.sh" >/dev/null 2>&1' EXIT
"$lab/samba-up.sh" 2 host NMBD >/dev/null
"$lab/run-in.sh" -b receiver 3 "$receiver" SINK foo >/dev/null
echo SINK >"$LAB/host3/name"
for ((wait = 0; wait < 150; wait++)); do
  "$lab/run-in.sh" 1 nmblookup -B "$(cat "$LAB/net").255" 'SINK#20' 2>/dev/null | grep -q '<20>' && break
  sleep 0.2
done
log=$LAB/host3/receiver.log
one() { "$lab/bench/load.sh" -r "$1" -t 2 -n 1 app50 1 "$2" "$3"; }
cost() { sed -n 's/.*cpu=\([0-9.]*\).*/\1/p'; }
echo "load before: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors"
: >"$LAB/costs"
for ((run = 1; run <= runs; run++)); do
  sink=$(one 20000 4 sink | tee /dev/stderr | cost)
  ours=$(one 20000 3 receiver | tee /dev/stderr | cost)
  nmbd=$(one 20000 2 nmbd | tee /dev/stderr | cost)
  echo "$sink $ours $nmbd" >>"$LAB/costs"
done
awk '{s += $1; o += $2; n += $3; printf "run %d: ours / sink %.2f, ours / nmbd %.2f\n", NR, $2/$1, $2/$3}
  END {printf "all: sink %.1f, ours %.1f, nmbd %.1f us each; ours / sink %.2f, ours / nmbd %.2f\n", s/NR, o/NR, n/NR, o/s, o/n}' \
  "$LAB/costs"
echo "load after: $(cut -d' ' -f1-3 /proc/loadavg)"
echo "50,000/s:"
for ((run = 1; run <= runs; run++)); do one 50000 4 sink; one 50000 3 receiver; done
# A flood of one kind from host 1, and at the same time 500 messages a second from host 4 that must get through.
pid=$(cut -d' ' -f1 "$LAB/pids/host3.run.receiver")
pay=$LAB/host3/pay to=$("$lab/run-in.sh" -i 3)
flood() { "$lab/run-in.sh" "$1" "${LAB_CACHE:-$HOME/.cache/mailslot-lab}/bin/flood" "$("$lab/run-in.sh" -i "$1")" 138 "$to" 138 "$2" "$3" 2; }
memory() { sed -n 's/VmRSS:[[:space:]]*//p' "/proc/$pid/status"; }
counters() { sleep 2; "$lab/run-in.sh" 4 nmblookup -U "$to" 'SINK#20' >/dev/null 2>&1 || true; tail -1 "$log"; }
head -c 400 /dev/urandom >"$pay/rubbish.bin"
cp "$pay/app50.bin" "$pay/orphan.bin"; printf '\003' | dd of="$pay/orphan.bin" bs=1 seek=1 conv=notrunc status=none
for kind in rubbish nobody orphan; do
  before=$(counters) from=$(memory)
  flood 4 "$pay/app50.bin" 500 >"$LAB/real" & real=$!
  flood 1 "$pay/$kind.bin" 50000 >"$LAB/flood"
  wait "$real"
  echo "flood of $kind ($(sed 's/ errors.*//' "$LAB/flood")), memory $from -> $(memory)"
  echo "  real messages: $(sed 's/ errors.*//' "$LAB/real")"
  echo "  before: $before"
  echo "  after:  $(counters)"
done
