# Common to the scripts that have one lab; sourced by them with the number of hosts in $hosts. Exits 77 where the lab is not.
source "$(dirname "${BASH_SOURCE[0]}")/start.sh"
messages=tests/lab/lib/messages.py

out=$($lab/net-up.sh "$hosts") || exit $?
eval "$out"
trap '$lab/net-down.sh >/dev/null 2>&1 || true' EXIT

failed=0
# check WHAT COMMAND...: the command succeeds.
check() {
    if "${@:2}" >"$LAB/check" 2>&1; then
        echo "ok: $1"
    else
        echo "FAILED: $1"
        # Not by head, which would end the script with a pipe that broke.
        sed -n '1,20s/^/    /p' "$LAB/check"
        failed=$((failed + 1))
    fi
}
# Whether a file has a text.
has() { grep -qF -- "$2" "$1" || { cut -c1-300 "$1"; return 1; }; }
# on_wire CAPTURE FILTER: what of a capture matches; fails if tshark does.
on_wire() { tshark -r "$1" -Y "$2" 2>/dev/null; }
# Whether a capture has nothing that matches. One that cannot be read has not nothing.
nothing() {
    local found
    found=$(on_wire "$1" "$2") || { echo "tshark cannot read $1 by $2"; return 1; }
    [ -z "$found" ] || { echo "$found"; return 1; }
}
# Whether our decoder finds no fault in a capture.
sound() {
    "$mailslot" decode --json "$1" >"$LAB/decoded" || return 1
    ! grep '"error"' "$LAB/decoded"
}
# until_true COMMAND...: waits for it, 20 s at most.
until_true() {
    for _ in $(seq 200); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    echo "not within 20 s: $*"
    return 1
}
ended() { [ "$failed" -eq 0 ] && echo "$1: all passed" || { echo "$1: $failed failed"; exit 1; }; }

# A TCP port of a host that is taken and on which nobody listens.
hold() {
    $lab/run-in.sh -b "hold$2" "$1" python3 -c "
import signal, socket
taken = socket.socket()
taken.bind(('', $2))
print('held', flush=True)
signal.pause()" >/dev/null
    until_true has "$LAB/host$1/hold$2.log" held
}
# listen KEY HOST NAME ARGS...: our program receives; its messages are in $LAB/hostHOST/KEY.log.
listen() {
    $lab/run-in.sh -b "$1" "$2" "$mailslot" listen --name "$3" --workgroup LABDOM --json "${@:4}" >/dev/null
    until_true has "$LAB/host$2/$1.log" "listening as"
}
# send HOST ARGS...: what our program says is in $LAB/said, its exit status is the result.
send() { $lab/run-in.sh "$1" timeout 60 "$mailslot" send --name WRITER --workgroup LABDOM "${@:2}" >"$LAB/said" 2>&1; }
# refused WHAT CODE WORDS ARGS...: a message is not sent, with this code and these words.
refused() {
    local status=0
    send "${sender:-2}" "${@:4}" || status=$?
    check "$1: $2" test "$status" = 1
    check "$1 is $2" has "$LAB/said" "$2"
    check "$1 says \"$3\"" has "$LAB/said" "$3"
}
