#!/usr/bin/env bash
# Sessions with programs that are not ours: impacket writes to us; we write to smbd, to impacket's server, and to
# computers that have no session for us, each of which has its own sentence and code. Needs root and the lab of ../shared
# (network namespaces, Samba, impacket); exits 77 where they are not. MAILSLOT names the program.
hosts=4
source "$(dirname "$0")/lib/lab.sh"
command -v smbd >/dev/null || { echo "SKIPPED: smbd is not installed"; exit 77; }
python=${LAB_CACHE:-$HOME/.cache/mailslot-lab}/venv/bin/python
[ -x "$python" ] || { echo "SKIPPED: impacket is not installed"; exit 77; }

text='The quick brown fox jumps over the lazy dog. '
came() { [ "$(grep -c '^{' "$1")" -ge "$2" ]; }
# impacket: one write from host 2 for each line of arguments; what it was told is in $LAB/told. Checked with
# `told ARGUMENTS OUTPUT`.
impacket() {
    sed "s/\$/ --text '$text'/" | $lab/run-in.sh 2 $lab/py.sh "$PWD/tests/lab/lib/many.py" $lab/smb_mailslot.py >"$LAB/told" 2>&1 || true
}
told() { grep -F -- "$1 --text" "$LAB/told" | grep -F -- "$2" || { cat "$LAB/told"; return 1; }; }

# impacket writes to us.
listen soda 1 SODA soda
listen small 3 SMALL small --max-message-size 500
$lab/cap.sh start 4 "$LAB/impacket.pcap"
cases=()
for port in 139 445; do
    for size in 427 4094 16644 65000; do
        for form in '' ' --unicode --name SODA'; do
            cases+=("10.99.0.11 --port $port --slot '\\MAILSLOT\\soda' --size $size$form")
        done
    done
done
{
    printf '%s\n' "${cases[@]}"
    printf '%s --one-way --timeout 0.3\n' "${cases[@]}"
} | impacket
for case in "${cases[@]}"; do
    check "impacket, $case: success" told "$case" "status=0x00000000"
    check "impacket, $case, one way: no answer" told "$case --one-way --timeout 0.3" "no reply"
done
until_true came "$LAB/host1/soda.log" $((2 * ${#cases[@]})) || true
check "all $((2 * ${#cases[@]})) of impacket's messages arrived, byte for byte" \
    $messages text "$LAB/host1/soda.log" "$text" 8:427 8:4094 8:16644 8:65000 slot=soda way~session

statuses=(
    "0xc0000034|there is no such slot|10.99.0.11 --slot '\\MAILSLOT\\nobody' --size 1000"
    "0xc0000205|a message is too large for its slot|10.99.0.13 --slot '\\MAILSLOT\\small' --size 501"
    "0x00000000|one that is not has arrived|10.99.0.13 --slot '\\MAILSLOT\\small' --size 500"
    "0xc00000bb|a pipe is not supported|10.99.0.11 --slot '\\PIPE\\soda' --size 10"
)
for line in "${statuses[@]}"; do printf '%s\n%s --unicode\n' "${line##*|}" "${line##*|}"; done | impacket
for line in "${statuses[@]}"; do
    IFS='|' read -r status what case <<<"$line"
    for form in '' ' --unicode'; do
        check "impacket is told that $what ($status$form)" told "$case$form" "status=$status"
    done
done
check "the small slot has the two" $messages text "$LAB/host3/small.log" "$text" 2:500
$lab/run-in.sh -k small 3
check "and says what it refused" has "$LAB/host3/small.log" "2 requests over sessions were refused: INSUFF_SERVER_RESOURCES 2"

# A full slot: its reader is busy with the first message, and 16 MiB wait.
$messages make "$LAB" 65000
listen full 3 FULL full --exec sleep 1000
status=0
send 2 --repeat 300 --from-file "$LAB/65000" '\\FULL\mailslot\full' || status=$?
check "a slot gets full" test $status = 1
check "and the writer is told so" has "$LAB/said" "ERROR_NOT_ENOUGH_SERVER_MEMORY (1130)"
check "in words" has "$LAB/said" "or the mailslot is full"
case="10.99.0.13 --slot '\\MAILSLOT\\full' --size 65000"
impacket <<<"$case"
check "impacket is told so" told "$case" "status=0xc0000205"
$lab/run-in.sh -k full 3
$lab/cap.sh stop 4
check "tshark finds nothing malformed" nothing "$LAB/impacket.pcap" _ws.malformed

# We write to others. Names of computers without a name service are in a file.
$messages make "$LAB" 3000
cat >"$LAB/lmhosts" <<'END'
10.99.0.13 THREE
10.99.0.99 ABSENT
END
to_three() { refused "$1" "$2" "$3" --lmhosts "$LAB/lmhosts" --from-file "$LAB/3000" '\\THREE\mailslot\soda'; }
alternative="Up to 424 bytes go by datagram"

to_three "a host without a session service" "ERROR_BAD_NETPATH (53)" "nobody listens on TCP 10.99.0.13:139"
check "what would work is offered" has "$LAB/said" "$alternative"
refused "a host that is off" "ERROR_BAD_NETPATH (53)" "cannot be reached: No route to host" \
    --lmhosts "$LAB/lmhosts" --from-file "$LAB/3000" '\\ABSENT\mailslot\soda'

$lab/samba-up.sh -M -w LABDOM 3 host NT1SMBD >/dev/null
$lab/wait-ready.sh 3 tcp:139 tcp:445 >/dev/null
$lab/cap.sh start 4 "$LAB/smbd.pcap"
to_three "smbd with SMB1" "ERROR_NOT_SUPPORTED (50)" "refuses the write: NOT_SUPPORTED (0xc00000bb)"
check "smbd with SMB1 says what that means" has "$LAB/said" "takes no mailslot messages"
check "what would work is offered" has "$LAB/said" "$alternative"
$lab/cap.sh stop 4
check "smbd was asked for TRANSACTION" sh -c "tshark -r $LAB/smbd.pcap -Y 'smb.cmd == 0x25 && mailslot.class == 1' 2>/dev/null | grep ."
$lab/samba-down.sh 3 >/dev/null
$lab/samba-up.sh -M -w LABDOM 3 host SMB2ONLY "server min protocol = SMB2" >/dev/null
$lab/wait-ready.sh 3 tcp:139 tcp:445 >/dev/null
to_three "smbd without SMB1" "ERROR_NOT_SUPPORTED (50)" "does not speak SMB1"
check "what would work is offered" has "$LAB/said" "$alternative"
$lab/samba-down.sh 3 >/dev/null

$lab/run-in.sh -b impacket 3 "$python" -c "
from impacket import smbserver
server = smbserver.SimpleSMBServer('0.0.0.0', 445)
server.setSMB2Support(False)
print('ready', flush=True)
server.start()" >/dev/null
until_true has "$LAB/host3/impacket.log" ready
to_three "impacket's server" "ERROR_NOT_SUPPORTED (50)" "refuses the write: NOT_IMPLEMENTED (0xc0000002)"
$lab/run-in.sh -k impacket 3

# Ports that do not answer, and a host that does not: the time is 5 s for a connection and 10 s for each step, on each of the
# two ports. Both at once, by two writers.
$lab/run-in.sh -b silent 3 python3 -c "
import signal, socket
ports = [socket.create_server(('', port)) for port in (139, 445)]
print('ready', flush=True)
signal.pause()" >/dev/null
until_true has "$LAB/host3/silent.log" ready
$lab/run-in.sh 1 ip route add blackhole 10.99.0.14
echo '10.99.0.11 DARK' >>"$LAB/lmhosts"
$lab/run-in.sh 4 timeout 60 "$mailslot" send --name OTHER --workgroup LABDOM --lmhosts "$LAB/lmhosts" \
    --from-file "$LAB/3000" '\\DARK\mailslot\soda' >"$LAB/dark" 2>&1 &
dark=$! began=$SECONDS
to_three "a port that says nothing" "ERROR_SEM_TIMEOUT (121)" "did not answer in time"
cat "$LAB/said"
$lab/run-in.sh -k silent 3
status=0
wait $dark || status=$?
check "a host that answers nothing: not sent" test "$status" = 1
check "a host that answers nothing is ERROR_SEM_TIMEOUT (121)" has "$LAB/dark" "ERROR_SEM_TIMEOUT (121)"
check "a host that answers nothing: it was the TCP connection" has "$LAB/dark" "did not answer in time (the TCP connection)"
cat "$LAB/dark"
echo "both within $((SECONDS - began)) s"
ended session-peers.sh
