# What every script of the lab begins with; sourced first. Goes to the package's folder, sets $lab (the lab's scripts) and
# $mailslot (the program; MAILSLOT names another), and exits 77 where the lab is not.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
lab=$PWD/../shared/lab
mailslot=${MAILSLOT:-target/release/mailslot}
[ -x "$lab/net-up.sh" ] || { echo "SKIPPED: $lab is not there"; exit 77; }
[ -x "$mailslot" ] || { echo "$mailslot is not there: cargo build --release"; exit 1; }
mailslot=$(realpath "$mailslot")
# needs TOOL...: exits 77 if one is not installed.
needs() {
    local tool
    for tool in "$@"; do command -v "$tool" >/dev/null || { echo "SKIPPED: $tool is not installed"; exit 77; }; done
}
