#!/usr/bin/env bash
# Others find our node and its names: nmblookup, nbtscan, nmap and smbtorture; and how many queries it answers beside nmbd.
# Needs root and the lab of ../shared (network namespaces, Samba); exits 77 where they are not. MAILSLOT names the
# program, ROUNDS says how often smbtorture registers and refreshes (default 3), BENCH_RUNS and BENCH_SECONDS how long the
# rates are compared. Their ratio is printed and not judged: it shrinks towards 1 on a busy machine.
hosts=4
source "$(dirname "$0")/lib/lab.sh"
for tool in nmbd nmblookup nbtscan nmap smbtorture; do
    command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed"; exit 77; }
done
on() { $lab/run-in.sh "$@"; }
ours=$(on -i 3)
broadcast=${ours%.*}.255
# Whether what was said last matches.
says() { grep -qiE -- "$1" "$LAB/said" || { cat "$LAB/said"; return 1; }; }

listen names 3 OURS soda
$lab/samba-up.sh -w LABDOM 1 host NMB1 >/dev/null
$lab/wait-ready.sh 1 'name:NMB1#20' >/dev/null

for question in "nmblookup -B $broadcast OURS#20" "nmblookup -B $broadcast OURS#00" "nmblookup -U $ours OURS#20" \
    "nmblookup -B $broadcast LABDOM#00" "nmblookup -U $ours LABDOM#00"; do
    on 2 $question >"$LAB/said" 2>&1 || true
    check "$question" says "^${ours//./\\.} (ours|labdom)<(00|20)>"
done
on 2 nmblookup -B "$broadcast" 'NOBODY#20' >"$LAB/said" 2>&1 || true
check "a name that nobody has is not found" says 'failed to find name'

on 2 nmblookup -A "$ours" >"$LAB/said" 2>&1 || true
check "nmblookup -A: OURS<00>" says '^\s+OURS +<00> - +B? *<ACTIVE>'
check "nmblookup -A: OURS<20>" says '^\s+OURS +<20> - +B? *<ACTIVE>'
check "nmblookup -A: LABDOM<00>, a group" says '^\s+LABDOM +<00> - <GROUP>.*<ACTIVE>'
on 2 nbtscan -v -s '|' "$ours/32" >"$LAB/said" 2>&1 || true
check "nbtscan: OURS<00>" says '\|OURS +\|00U'
check "nbtscan: OURS<20>" says '\|OURS +\|20U'
check "nbtscan: LABDOM<00>, a group" says '\|LABDOM +\|00G'
on 2 nmap -n -Pn -sU -p 137 --script nbstat --script-args nbstat.v=true "$ours" >"$LAB/said" 2>&1 || true
check "nmap nbstat: the name" says 'NetBIOS name: OURS\b'
check "nmap nbstat: OURS<00>" says 'OURS<00> +Flags: <unique><active>'
check "nmap nbstat: OURS<20>" says 'OURS<20> +Flags: <unique><active>'
check "nmap nbstat: LABDOM<00>, a group" says 'LABDOM<00> +Flags: <group><active>'

# smbtorture tries to take the name from us, and to refresh it as if it had it.
for test in nbt.register.register_own nbt.register.refresh_own; do
    passed=0
    for _ in $(seq "${ROUNDS:-3}"); do
        if $lab/torture.sh -o "$LAB/torture" 4 OURS LABDOM $test >"$LAB/line" 2>&1 && grep -q 'pass=1 fail=0 err=0' "$LAB/line"; then
            passed=$((passed + 1))
        else
            cat "$LAB/line"
            grep -E '^(failure|error|WARNING|\()' "$LAB/torture" | head -5 || true
        fi
    done
    check "smbtorture $test: $passed of ${ROUNDS:-3}" test "$passed" = "${ROUNDS:-3}"
done

# Name queries a second, ten outstanding: ours and nmbd's in turn, so that what else runs weighs on both.
answered() { # NAME: prints "RATE LOST"
    $lab/torture.sh 4 "$1" LABDOM nbt.bench --timelimit="${BENCH_SECONDS:-3}" |
        sed -n 's|.* \([0-9]*\)[0-9.]* queries/s, \([0-9]*\) lost|\1 \2|p'
}
ratios=()
for run in $(seq "${BENCH_RUNS:-2}"); do
    read -r mine lost <<<"$(answered OURS)"
    read -r theirs _ <<<"$(answered NMB1)"
    check "smbtorture nbt.bench, run $run: ours $mine queries/s and $lost lost, nmbd $theirs" test "$mine" -gt 0 -a "$theirs" -gt 0 -a "$lost" -eq 0
    ratios+=("$(awk "BEGIN { printf \"%.2f\", $mine / ($theirs + 1e-9) }")")
done
echo "nbt.bench: ours / nmbd = ${ratios[*]} (load $(cut -d' ' -f1 /proc/loadavg), $(nproc) processors)"
ended names.sh
