#!/bin/bash
# answers.sh [-n RUNS] [-s SECONDS] [-c CLIENTS]    name queries answered a second, and what each costs
#
# Ours, nmbd, and a bare loop, asked in turn by smbtorture's nbt.bench with ten queries outstanding, RUNS times
# (default 5) for SECONDS (default 3); with CLIENTS (default 1) by as many smbtortures at once. The bare loop answers
# anything with the same packet and so shows the most that the askers and this machine's network can do. Prints rates,
# CPU time for each answer and their ratios; asserts nothing. Needs root and the lab (../shared/lab) with smbtorture;
# otherwise says so and exits 77.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
runs=5 seconds=3 clients=1 lab=$here/../shared/lab
while getopts n:s:c:h o; do
  case $o in
    n) runs=$OPTARG;; s) seconds=$OPTARG;; c) clients=$OPTARG;; *) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2;;
  esac
done
[ -x "$lab/net-up.sh" ] || { echo "skipped: no lab in $lab"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "skipped: the lab needs root"; exit 77; }
command -v smbtorture >/dev/null || { echo "skipped: no smbtorture"; exit 77; }
built=${CARGO_TARGET_DIR:-$here/target}/release
receiver=${RECEIVER:-$built/examples/receiver} responder=${RESPONDER:-$built/examples/responder}
[ -n "${RECEIVER:-}" ] && [ -n "${RESPONDER:-}" ] ||
  cargo build --quiet --release --example receiver --example responder --manifest-path "$here/Cargo.toml"
out=$("$lab/net-up.sh" -s $((3 + clients))) || exit $?
eval "$out"
trap '"$lab/net-down.sh" >/dev/null 2>&1' EXIT
bare=$("$lab/run-in.sh" -i 2)
"$lab/samba-up.sh" -w LABDOM 1 host NMB1 >/dev/null
"$lab/run-in.sh" -b responder 2 "$responder" "$bare" >/dev/null
"$lab/run-in.sh" -b receiver 3 "$receiver" OURS foo >/dev/null
"$lab/wait-ready.sh" 1 'name:NMB1#20' >/dev/null
for ((wait = 0; wait < 150; wait++)); do
  "$lab/run-in.sh" 4 nmblookup -B "${bare%.*}.255" 'OURS#20' 2>/dev/null | grep -q '<20>' && break
  sleep 0.2
done
pid() { cut -d' ' -f1 "$LAB/pids/$1"; }
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
one() { # NAME PID: "RATE LOST MICROSECONDS"
  local before after client jobs=()
  before=$(ticks "$2")
  for ((client = 1; client <= clients; client++)); do
    "$lab/torture.sh" $((3 + client)) "$1" LABDOM nbt.bench --timelimit="$seconds" >"$LAB/asked.$client" &
    jobs+=($!)
  done
  wait "${jobs[@]}"
  after=$(ticks "$2")
  sed -n 's|.* \([0-9.]*\) queries/s, \([0-9]*\) lost|\1 \2|p' "$LAB"/asked.* |
    awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" -v s="$seconds" \
      '{rate += $1; lost += $2} END {printf "%d %d %.1f\n", rate, lost, t / hz / s / (rate + 1e-9) * 1e6}'
}
echo "load before: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors, $clients at once"
for ((run = 1; run <= runs; run++)); do
  echo "$(one OURS "$(pid host3.run.receiver)") $(one NMB1 "$(pid host1.nmbd)") $(one "$bare" "$(pid host2.run.responder)")"
done | tee "$LAB/rates" | awk '{
    printf "ours %d/s (%d lost, %.1f us each), nmbd %d/s (%d lost, %.1f us), bare %d/s (%d lost, %.1f us): ours / nmbd %.2f, bare / nmbd %.2f, cost %.2f of nmbd\n",
      $1, $2, $3, $4, $5, $6, $7, $8, $9, $1 / ($4 + 1e-9), $7 / ($4 + 1e-9), $3 / ($6 + 1e-9); fflush()}'
awk '{o += $1; n += $4; b += $7; c += $3; d += $6; e += $9}
  END {printf "all: rates ours / nmbd %.2f, bare / nmbd %.2f, ours / bare %.2f; CPU ours / nmbd %.2f, bare / nmbd %.2f\n", o / (n + 1e-9), b / (n + 1e-9), o / (b + 1e-9), c / (d + 1e-9), e / (d + 1e-9)}' "$LAB/rates"
echo "load after: $(cut -d' ' -f1-3 /proc/loadavg)"
