# What the lab tests of the browser protocol share. Source it; `lab`, `mailslot` and LAB are set by the test.
# shellcheck shell=bash

# Starts our node on a lab host as a service with a role: ours HOST NAME 'key = value'... of [browser].
ours() {
    local host=$1 name=$2
    shift 2
    mkdir -p "$LAB/host$host"
    {
        printf '[lan]\nname = "%s"\nworkgroup = "WORKGROUP"\n[browser]\n' "$name"
        printf '%s\n' "$@"
    } >"$LAB/host$host/$name.toml"
    : >"$LAB/host$host/$name.log"
    "$lab/run-in.sh" -b "$name" "$host" "$mailslot" serve --config "$LAB/host$host/$name.toml" >/dev/null
}

# The role that our node has taken last, as its log says.
role_of() { sed -n 's/.*browser.s role.*role=\([a-z_]*\).*/\1/p' "$LAB/host$1/$2.log" | tail -n 1; }

# Whether the nmbd of a lab host is the local master, as its log says.
nmbd_leads() {
    local last
    last=$(grep -hs 'is now a local master\|has stopped being a local master' "$LAB/host$1/log/log.nmbd" | tail -n 1) || true
    [[ $last == *"is now"* ]]
}

# until_so SECONDS COMMAND...: waits until the command succeeds, or fails.
until_so() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.1
    done
}
