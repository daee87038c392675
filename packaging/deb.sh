#!/bin/sh
# Builds the Debian package: the program, its manual pages and completions made by itself, then `cargo deb`.
# With --built the program is in the target folder already, and other arguments go to `cargo deb`, else to `cargo build`.
# Prints the package's path. Needs: cargo install cargo-deb
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
if [ "${1:-}" = --built ]; then
    shift
else
    cargo build -q --release "$@"
    set --
fi
made=target/package
rm -rf "$made"
mkdir -p "$made/completions"
"$target/release/mailslot" man "$made/man"
for shell in bash zsh fish; do
    case $shell in zsh) file=_mailslot ;; *) file=mailslot.$shell ;; esac
    "$target/release/mailslot" completions "$shell" > "$made/completions/$file"
done
cargo deb -q --no-build "$@"
