#!/usr/bin/env bash
# Slots between processes, at full size and as an ordinary user: kill -9 of a listener, a sender or the node, 200 times
# each; a million messages of 16 writers for 4 readers, once with one of the readers stopped. Prints times, counts and the
# node's memory; a few minutes. As root it becomes the user 65534, who has no rights and nothing installed.
#   tests/extra/shared-machine.sh [FILTER...]      all, or the tests of tests/local whose names have a FILTER in them
# MAILSLOT_TRIES and MAILSLOT_MESSAGES ask for other numbers, PROFILE=dev for the profile of the tests. Needs jq.
set -euo pipefail
cd "$(dirname "$0")/../.."
profile=${PROFILE:-release}
filters=("$@")
[ ${#filters[@]} -gt 0 ] || filters=(terminals::a_killed killed::a_killed many::each many::a_stopped)
program=$(cargo test -q --no-run --all-features --profile "$profile" --test local --message-format=json |
    jq -r 'select(.target.name == "local" and .executable != null).executable')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ordinary=(env -u XDG_RUNTIME_DIR -u MAILSLOT_SOCKET TMPDIR="$work" HOME="$work")
if [ "$(id -u)" = 0 ]; then
    chown 65534:65534 "$work"
    ordinary+=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs)
fi
export MAILSLOT_TRIES=${MAILSLOT_TRIES:-200} MAILSLOT_MESSAGES=${MAILSLOT_MESSAGES:-1000000}
cd "$work"
echo "user $("${ordinary[@]}" id -u), $MAILSLOT_TRIES tries, $MAILSLOT_MESSAGES messages, $(nproc) processors"
for filter in "${filters[@]}"; do
    begun=$SECONDS
    "${ordinary[@]}" "$program" --nocapture --test-threads=1 "$filter" </dev/null
    echo "$filter: $((SECONDS - begun)) s"
done
echo "shared-machine.sh: all passed"
