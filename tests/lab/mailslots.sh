#!/usr/bin/env bash
# Application mailslots between our program and others, byte for byte: scapy and the lab's own sender to `listen`,
# `send` to a slot that hangs on nmbd, and ours to ours across two hosts. tshark and Samba's marshalling code read all
# of it. Needs root and the lab of ../shared (network namespaces, Samba); exits 77 where they are not. MAILSLOT names
# the program.
hosts=4
source "$(dirname "$0")/lib/lab.sh"
source tests/lab/lib/slots.sh
for tool in nmbd tshark xxd; do
    command -v $tool >/dev/null || { echo "SKIPPED: $tool is not installed"; exit 77; }
done

sizes=(0 1 400 424)
mkdir "$LAB/m"
$messages make "$LAB/m" "${sizes[@]}" 2 3 410 411 412
text='The quick brown fox jumps over the lazy dog. '
repeated() { python3 -c 'import sys; print((sys.argv[1] * 20)[:int(sys.argv[2])], end="")' "$text" "$1"; }
$lab/cap.sh start 4 "$LAB/all.pcap"
listen ours 3 OURS scapy mslot broad host group all
ours=$(on -i 3) nmb=$(on -i 1)
$lab/samba-up.sh -w LABDOM 1 host NMB1 >/dev/null

# Builders that share no code with ours: printable text and any bytes.
for size in "${sizes[@]}"; do
    check "scapy sends $size bytes of text" on 2 $lab/py.sh scapy_send.py --to "$ours" --dst OURS --dst-type 00 \
        --slot '\MAILSLOT\scapy' --text "$(repeated "$size")"
    check "mslot.py sends $size bytes" on 2 python3 $lab/mslot.py send --to "$ours" --type 0x10 --dst 'OURS#00' \
        --slot '\MAILSLOT\mslot' --hex "$(xxd -p -c0 "$LAB/m/$size")"
    check "mslot.py broadcasts $size bytes" on 2 python3 $lab/mslot.py send --to broadcast --type 0x11 --dst 'LABDOM#00' \
        --slot '\mailslot\Broad' --hex "$(xxd -p -c0 "$LAB/m/$size")"
done
slot_of 3 ours scapy ${#sizes[@]}
check "scapy's text arrived" $messages text "$LAB/slot" "$text" "${sizes[@]/#/1:}"
arrived "mslot.py's bytes arrived" 3 ours mslot "${sizes[@]}"
arrived "mslot.py's broadcasts arrived" 3 ours broad "${sizes[@]}"

# Ours to ours, there and back.
to_all 2 OURS "${sizes[@]}"
all_arrived 3 ours OURS "${sizes[@]}"
$lab/run-in.sh -k ours 3
listen back 2 BACK host group all
to_all 3 BACK "${sizes[@]}"
all_arrived 2 back BACK "${sizes[@]}"
$lab/run-in.sh -k back 2
# nmbd announces itself to the master browser, LABDOM<1d>: that is for none of ours.
for log in "$LAB/host3/ours.log" "$LAB/host2/back.log"; do
    check "${log##*/}: nothing of ours was dropped" sh -c "! grep -F 'were dropped' '$log' | grep -vE ': not_ours [0-9]+$'"
done

# To a slot that hangs on nmbd, which reads 576 bytes of a datagram at most and hands on nothing that is longer: 14 bytes
# of header, 68 of names and the SMB message. Ours, as a Windows redirector's, has the data aligned to 4, so for
# \MAILSLOT\foo it begins at 84 of the SMB message and 410 bytes of data are the most; without alignment, as mslot.py
# writes it, they begin at 83, and 411 are. nmbd drops messages of 0 bytes, whoever sends them.
until_true knows 2 NMB1#00
on -b tap 1 python3 $lab/nmbd_tap.py "$LAB/host1/nmbd" '\MAILSLOT\foo' 60 --json >/dev/null
until_true has "$LAB/host1/tap.log" ready
for size in 0 1 400 410 411 2; do
    check "ours sends $size bytes to nmbd" send 2 --json --from-file "$LAB/m/$size" '\\NMB1\mailslot\foo'
done
for size in 0 411 412 3; do
    on 2 python3 $lab/mslot.py send --to "$nmb" --type 0x10 --dst 'NMB1#00' --slot '\MAILSLOT\foo' \
        --hex "$(xxd -p -c0 "$LAB/m/$size")"
done
until_true came "$LAB/host1/tap.log" 6 || true
check "nmbd hands on ours of 1, 400 and 410 bytes, and 411 without alignment" $messages check "$LAB/host1/tap.log" 1 400 410 2 411 3

# What was on the wire.
$lab/cap.sh stop 4
from_us='(ip.src == 10.99.0.12 || ip.src == 10.99.0.13)'
check "tshark finds nothing malformed" nothing "$LAB/all.pcap" "_ws.malformed && $from_us"
# It takes a write of 0 bytes for another answer.
check "tshark reads writes of all sizes" test "$(tshark -r "$LAB/all.pcap" -Y "mailslot && $from_us" -T fields -e smb.dc 2>/dev/null | sort -nu | paste -sd' ')" = "1 2 3 400 410 411 412 424"
check "Samba's code reads all and would write the same bytes" /usr/bin/python3 $lab/oracle.py "$LAB/all.pcap"
cat "$LAB/check"
ended mailslots.sh
