#!/usr/bin/env bash
# Messages past 424 bytes between two of ours: by session to port 139 and to port 445, byte for byte; and by datagram
# with IP fragments between two that behave like Windows 9x. Needs root and the lab of ../shared (network namespaces);
# exits 77 where it is not. MAILSLOT names the program.
hosts=4
source "$(dirname "$0")/lib/lab.sh"

sizes=(425 426 427 4093 4094 16644 60000 65535)
# What one UDP datagram carries to a slot of 1 to 4 characters: 65,535 - 20 - 8 - 82 - 84.
largest=65341
mkdir "$LAB/m"
$messages make "$LAB/m" 424 "${sizes[@]}" 65536 $largest $((largest + 1))
capture=$LAB/all.pcap
# Whether the log has as many messages.
came() { [ "$(grep -c '^{' "$1")" -ge "$2" ]; }

# One host for each port.
hold 1 445
hold 3 139
listen soda 1 OLD soda
listen soda 3 NEW soda
check "a port that is taken is told" has "$LAB/host1/soda.log" "Another program, such as smbd, has the port"
$lab/cap.sh start 4 "$capture"
for peer in 1:OLD:139 3:NEW:445; do
    IFS=: read -r host name port <<<"$peer"
    for size in "${sizes[@]}"; do
        check "$size bytes to $name" send 2 --json --from-file "$LAB/m/$size" "\\\\$name\\mailslot\\soda"
        check "$size bytes by session $port" has "$LAB/said" "\"way\":\"session $port\""
        check "$size bytes, whole" has "$LAB/said" "\"bytes\":$size,\"truncated\":false"
    done
    until_true came "$LAB/host$host/soda.log" ${#sizes[@]} || true
    check "all of them arrived at $name, once and in order" \
        $messages check "$LAB/host$host/soda.log" "${sizes[@]}" "slot=soda" "way=session $port"
done
$lab/cap.sh stop 4
check "sessions on port 139 are in the capture" sh -c "tshark -r $capture -Y 'tcp.port == 139 && smb.cmd == 0x25' 2>/dev/null | grep -q ."
check "sessions on port 445 are in the capture" sh -c "tshark -r $capture -Y 'tcp.port == 445 && smb.cmd == 0x25' 2>/dev/null | grep -q ."
check "no datagram" nothing "$capture" 'udp.port == 138'
check "tshark finds nothing malformed" nothing "$capture" '_ws.malformed'
check "tshark reads every one as a mailslot write of class 1" \
    test "$(on_wire "$capture" 'mailslot.opcode == 1 && mailslot.class == 1' | wc -l)" = $((2 * ${#sizes[@]}))
check "our own decoder finds no fault" sound "$capture"

# What cannot go: nothing is sent.
$lab/cap.sh start 4 "$LAB/no.pcap" "ip or arp"
refused "65536 bytes to a computer" "ERROR_INVALID_PARAMETER (87)" "65535" --from-file "$LAB/m/65536" '\\OLD\mailslot\soda'
refused "425 bytes to all" "ERROR_BAD_NETPATH (53)" "too long" --from-file "$LAB/m/425" '\\*\mailslot\soda'
refused "425 bytes to the own workgroup" "ERROR_BAD_NETPATH (53)" "too long" --from-file "$LAB/m/425" '\\LABDOM\mailslot\soda'
$lab/cap.sh stop 4
check "none of the three is on the wire, nor a question about them" nothing "$LAB/no.pcap" 'ip.src == 10.99.0.12 || arp.src.proto_ipv4 == 10.99.0.12'
# Another workgroup is a name like any other, until somebody has said that it is a group's.
$lab/cap.sh start 4 "$LAB/group.pcap"
status=0
$lab/run-in.sh 2 timeout 60 "$mailslot" send --name WRITER --workgroup OTHERS --repeat 2 --from-file "$LAB/m/425" '\\LABDOM\mailslot\soda' >"$LAB/said" 2>&1 || status=$?
check "425 bytes to another workgroup" test "$status" = 1
check "425 bytes to another workgroup is ERROR_BAD_NETPATH (53), twice" test "$(grep -c 'ERROR_BAD_NETPATH (53).*too long' "$LAB/said")" = 2
$lab/cap.sh stop 4
check "nor that; the name's kind is asked for, once" nothing "$LAB/group.pcap" 'udp.port == 138 || tcp'
check "and remembered" test "$(on_wire "$LAB/group.pcap" 'nbns.flags.response == 0 && ip.src == 10.99.0.12' | wc -l)" = 1
check "424 bytes to all do go" send 2 --from-file "$LAB/m/424" '\\*\mailslot\soda'

# Windows 9x: everything by datagram. Its own slots take 4,093 bytes, another's take all.
$lab/run-in.sh -k soda 1
$lab/run-in.sh -k soda 3
listen cairo 1 CAIRO soda --profile win9x
listen wide 3 WIDE soda
listen cut 4 FOUR soda --profile nt4
$lab/cap.sh start 4 "$LAB/9x.pcap" ip
sizes=(425 426 427 4093 4094 16644 60000 $largest)
for name in CAIRO WIDE; do
    for size in "${sizes[@]}"; do
        check "win9x: $size bytes to $name" send 2 --profile win9x --json --from-file "$LAB/m/$size" "\\\\$name\\mailslot\\soda"
        check "win9x: $size bytes by datagram, whole" has "$LAB/said" "\"way\":\"datagram\",\"group\":false,\"destination\":\"$name<00>\""
    done
done
until_true came "$LAB/host3/wide.log" ${#sizes[@]} || true
check "win9x: all of them arrived at a computer that takes them" \
    $messages check "$LAB/host3/wide.log" "${sizes[@]}" slot=soda "from=WRITER<00>" way=datagram
until_true came "$LAB/host1/cairo.log" 4 || true
check "win9x: one of its own kind has those that its slots take" \
    $messages check "$LAB/host1/cairo.log" 425 426 427 4093 slot=soda way=datagram
$lab/run-in.sh -k cairo 1
check "win9x: and says that it dropped the $((${#sizes[@]} - 4)) others" has "$LAB/host1/cairo.log" "over_max_message_size $((${#sizes[@]} - 4))"
$lab/cap.sh stop 4
check "win9x: IP fragments were on the wire" sh -c "tshark -r $LAB/9x.pcap -Y 'ip.flags.mf == 1 && ip.proto == 17' 2>/dev/null | grep -q ."
check "win9x: and no session" nothing "$LAB/9x.pcap" tcp
check "win9x: tshark finds nothing malformed" nothing "$LAB/9x.pcap" '_ws.malformed'
refused "win9x: $((largest + 1)) bytes" "ERROR_INVALID_PARAMETER (87)" "$largest" \
    --profile win9x --from-file "$LAB/m/$((largest + 1))" '\\WIDE\mailslot\soda'

# Windows NT 4 receives 424 bytes of a datagram, and sends no more of 425 and 426.
check "nt4 is sent 60000 bytes by datagram" send 2 --profile win9x --from-file "$LAB/m/60000" '\\FOUR\mailslot\soda'
until_true came "$LAB/host4/cut.log" 1 || true
check "nt4 receives 424 of them" has "$LAB/host4/cut.log" '"size":424'
check "and says that it was cut" has "$LAB/host4/cut.log" '"truncated":true'
for size in 425 426; do
    check "nt4 sends $size bytes" send 2 --profile nt4 --from-file "$LAB/m/$size" '\\WIDE\mailslot\soda'
    check "nt4 sends 424 of $size bytes, and says so" has "$LAB/said" '424 bytes to \\WIDE\mailslot\soda (cut, as Windows NT 4 does) by datagram'
done
check "nt4 sends 427 bytes" send 2 --profile nt4 --from-file "$LAB/m/427" '\\WIDE\mailslot\soda'
check "nt4 sends 427 bytes by session" has "$LAB/said" '427 bytes to \\WIDE\mailslot\soda by session'
ended sessions.sh
