#!/usr/bin/env bash
# The C programs of the source documents across machines: what they write to a computer, a domain or `*` goes through
# each machine's service, and they run as an ordinary user without any right to ports.
# Needs root, the lab and the sources of ../shared, gcc, and libmailslot (capi/target/release, else debug; LIBMAILSLOT
# names another folder); exits 77 where they are not. MAILSLOT names the program.
hosts=3
source "$(dirname "$0")/lib/lab.sh"
programs=../shared/sources/programs
[ -d $programs ] || { echo "SKIPPED: $programs is not there"; exit 77; }
command -v gcc >/dev/null || { echo "SKIPPED: gcc is not installed"; exit 77; }
library=${LIBMAILSLOT:-capi/target/release}
[ -e "$library/libmailslot.a" ] || library=capi/target/debug
[ -e "$library/libmailslot.a" ] || { echo "SKIPPED: no libmailslot: cargo build --release in capi/"; exit 77; }

# Somebody else's user may read neither the build folder nor the checkout.
chmod 755 "$LAB"
mkdir -m 777 "$LAB/out"
for source in Server1.cpp Client.cpp cp_server.c cp_client.c; do
    gcc -w -x c -I capi/include $programs/$source -o "$LAB/out/${source%.*}" \
        -x none "$library/libmailslot.a" -lpthread -ldl -lm
done
ordinary=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all)
# c HOST PROGRAM ARGS...: a C program on a host, with that host's service.
c() { $lab/run-in.sh "$1" env MAILSLOT_SOCKET="$LAB/$1.sock" "${ordinary[@]}" timeout 60 "$LAB/out/$2" "${@:3}"; }
# server KEY HOST PROGRAM SLOT ARGS...: one that stays; its slot is there.
server() {
    $lab/run-in.sh -b "$1" "$2" env MAILSLOT_SOCKET="$LAB/$2.sock" "${ordinary[@]}" "$LAB/out/$3" "${@:5}" >/dev/null
    until_true slot_is_there "$2" "$4"
}
slot_is_there() { MAILSLOT_SOCKET="$LAB/$1.sock" "$mailslot" ls | grep -qi "$2"; }
# client WHAT EXPECTED HOST PROGRAM ARGS...: what it prints. `void main` has no exit status to speak of.
client() {
    local said
    said=$(c "${@:3}" || true)
    check "$1: $said" test "$said" = "$2"
}
# printed HOST KEY COUNT: the server has printed its message so often, and nothing else.
printed() { [ "$(cat "$LAB/host$1/$2.log")" = "$(for _ in $(seq "$3"); do echo "This is a test"; done)" ]; }

names=(- ALPHA BETA GAMMA)
for host in 1 2 3; do
    $lab/run-in.sh -b serve "$host" "$mailslot" serve --name "${names[$host]}" --workgroup LABDOM \
        --socket "$LAB/$host.sock" --socket-mode 0666 >/dev/null
done
# The socket is there before the names are; nobody finds a computer without its names.
ready() { grep -q 'ready as' "$LAB/host$1/serve.log"; }
for host in 1 2 3; do until_true ready "$host"; done
for host in 1 2; do server server "$host" Server1 myslot; done

client "client ALPHA on BETA" "Wrote 14 bytes" 2 Client ALPHA
check "ALPHA's server printed it" until_true printed 1 server 1
check "BETA's did not" printed 2 server 0
client "client BETA on GAMMA" "Wrote 14 bytes" 3 Client BETA
check "BETA's server printed it" until_true printed 2 server 1
client "client * on GAMMA" "Wrote 14 bytes" 3 Client '*'
check "ALPHA's server printed it" until_true printed 1 server 2
check "BETA's server printed it" until_true printed 2 server 2
client "client LABDOM on GAMMA" "Wrote 14 bytes" 3 Client LABDOM
check "ALPHA's server printed it" until_true printed 1 server 3
check "BETA's server printed it" until_true printed 2 server 3
client "client * on ALPHA, where a server is" "Wrote 14 bytes" 1 Client '*'
check "ALPHA's server printed it once" until_true printed 1 server 4
check "BETA's server printed it" until_true printed 2 server 4
client "client NOSUCH on GAMMA" "WriteFile failed with error 53" 3 Client NOSUCH
client "a second server on ALPHA" "Failed to create a mailslot 183" 1 Server1

server article 1 cp_server blort 1
client "the article's client of ALPHA on BETA" "wrote 8" 2 cp_client ALPHA
check "the article's server printed the record" until_true has "$LAB/host1/article.log" 'record (8): "This is "'
check "nothing more came" sh -c "[ \$(wc -l < '$LAB/host1/server.log') = 4 ] && [ \$(wc -l < '$LAB/host2/server.log') = 4 ]"
ended capi.sh
