# Messages to slots and back; sourced after lab.sh.
on() { $lab/run-in.sh "$@"; }
# Whether a log has as many messages.
came() { [ "$(grep -c '^{' "$1")" -ge "$2" ]; }
# Whether a host finds a name by broadcast.
knows() { on "$1" nmblookup -B 10.99.0.255 "$2" 2>/dev/null | grep -q '^[0-9]'; }
# in_slot LOG SLOT: the messages of one slot.
in_slot() { grep -F "\"slot\":\"$2\"" "$1"; }
slot_has() { [ "$(in_slot "$1" "$2" | wc -l)" -ge "$3" ]; }
# slot_of HOST KEY SLOT COUNT: waits for so many messages and puts the slot's into $LAB/slot.
slot_of() {
    until_true slot_has "$LAB/host$1/$2.log" "$3" "$4" || true
    in_slot "$LAB/host$1/$2.log" "$3" >"$LAB/slot" || true
}
# arrived WHAT HOST KEY SLOT SIZE...: the slot got the messages of $LAB/m of these sizes, in this order and no others.
arrived() {
    slot_of "$2" "$3" "$4" $(($# - 4))
    check "$1" $messages check "$LAB/slot" "${@:5}"
}
# to_all HOST NAME SIZE...: ours sends to the computer, to the workgroup and to all; slots host, group and all.
to_all() {
    local size
    for size in "${@:3}"; do
        check "ours sends $size bytes to \\\\$2" send "$1" --from-file "$LAB/m/$size" "\\\\$2\\mailslot\\host"
        check "ours sends $size bytes to \\\\LABDOM" send "$1" --from-file "$LAB/m/$size" '\\LABDOM\mailslot\group'
        check "ours sends $size bytes to \\\\*" send "$1" --from-file "$LAB/m/$size" '\\*\mailslot\all'
    done
}
# all_arrived HOST KEY NAME SIZE...: what to_all sends to the name.
all_arrived() {
    arrived "$3 got them, sent to \\\\$3" "$1" "$2" host "${@:4}"
    arrived "$3 got them, sent to \\\\LABDOM" "$1" "$2" group "${@:4}"
    arrived "$3 got them, sent to \\\\*" "$1" "$2" all "${@:4}"
}
