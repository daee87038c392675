#!/usr/bin/env bash
# `mailslot capture` shows a Samba master coming up, frame by frame, as an ordinary user with CAP_NET_RAW alone.
# Needs root and the lab of ../shared (network namespaces, Samba); exits 77 where they are not. MAILSLOT names the
# program.
set -euo pipefail
cd "$(dirname "$0")/../.."
lab=../shared/lab
mailslot=${MAILSLOT:-target/release/mailslot}
[ -x $lab/net-up.sh ] || { echo "SKIPPED: $lab is not there"; exit 77; }
[ -x "$mailslot" ] || { echo "$mailslot is not there: cargo build --release"; exit 1; }
command -v nmbd >/dev/null || { echo "SKIPPED: nmbd is not installed"; exit 77; }

out=$($lab/net-up.sh 2) || exit $?
eval "$out"
trap '$lab/net-down.sh >/dev/null 2>&1 || true' EXIT

# Somebody else's user may read neither the build folder nor the checkout.
program=$LAB/mailslot
cp "$mailslot" "$program"
chmod 755 "$LAB" "$program"
mkdir -m 777 "$LAB/out"
ordinary=(setpriv --reuid=65534 --regid=65534 --clear-groups)

failed=0
check() { if "${@:2}" >/dev/null; then echo "ok: $1"; else echo "FAILED: $1"; failed=$((failed + 1)); fi; }

# Without the capability it says what it needs.
if said=$($lab/run-in.sh 2 "${ordinary[@]}" --inh-caps=-all "$program" capture -i eth0 --seconds 1 2>&1); then
    echo "FAILED: listened without CAP_NET_RAW"; failed=$((failed + 1))
fi
check "says what it needs" grep -q CAP_NET_RAW <<<"$said"

$lab/run-in.sh -b capture 2 "${ordinary[@]}" --inh-caps=-all,+net_raw --ambient-caps=-all,+net_raw \
    "$program" capture -i eth0 --json --write "$LAB/out/lan.pcapng" >/dev/null
log=$LAB/host2/capture.log
for _ in $(seq 100); do grep -q "listening on" "$log" 2>/dev/null && break; sleep 0.1; done
$lab/samba-up.sh -x 50 1 lmb LMB1 >/dev/null
$lab/wait-ready.sh -s 1 lmb >/dev/null
# The announcements follow at once.
for _ in $(seq 100); do grep -q '"LocalMasterAnnouncement"' "$log" && break; sleep 0.1; done

kinds=$(grep -o '"\(kind\|command\)":"[A-Za-z_]*"' "$log" | sort | uniq -c)
echo "$kinds"
for kind in registration_request query_request RequestElection LocalMasterAnnouncement DomainAnnouncement; do
    check "$kind" grep -q "\"$kind\"" "$log"
done
check "nothing damaged" sh -c "! grep -q '\"error\"' '$log'"

# What was written is what was shown, for us and for tshark.
shown=$(grep -c '^{' "$log")
check "the capture holds $shown frames" test "$("$mailslot" decode --json "$LAB/out/lan.pcapng" | wc -l)" -ge "$shown"
if command -v tshark >/dev/null; then
    check "tshark finds nothing malformed" sh -c "! tshark -r '$LAB/out/lan.pcapng' -Y _ws.malformed 2>/dev/null | grep -q ."
    check "tshark reads as many" test "$(tshark -r "$LAB/out/lan.pcapng" 2>/dev/null | wc -l)" -ge "$shown"
fi
[ "$failed" -eq 0 ] && echo "capture.sh: all passed" || { echo "capture.sh: $failed failed"; exit 1; }
