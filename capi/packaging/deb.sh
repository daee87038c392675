#!/bin/sh
# Builds the library's Debian packages: libmailslot0, which programs need, and libmailslot-dev, to compile them.
# With --built the library is in the target folder already, and other arguments go to `cargo deb`, else to `cargo build`.
# Prints the packages' paths. Needs: cargo install cargo-deb
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
mkdir -p "$made"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
grep -qF "libmailslot0 (= $version-1)" Cargo.toml || { echo "libmailslot-dev depends on another version than $version" >&2; exit 1; }
cp "$target/release/libmailslot.so" "$made/libmailslot.so.$version"
ln -s "libmailslot.so.$version" "$made/libmailslot.so.0"
ln -s libmailslot.so.0 "$made/libmailslot.so"
sed "s/^Version: .*/Version: $version/" packaging/mailslot.pc > "$made/mailslot.pc"
cargo deb -q --no-build "$@"
cargo deb -q --no-build --variant dev "$@"
