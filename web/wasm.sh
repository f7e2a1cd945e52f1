#!/usr/bin/env bash
# Builds a package of this folder for browsers and prints the path of the module: `wasm.sh PACKAGE [cargo's options]`.
#
# The standard library for wasm32 comes from rustup. Where rustup cannot fetch it, cargo builds it from the source that
# Debian's package `rust-src` of the same release holds.
set -euo pipefail
cd "$(dirname "$0")"
package=$1
shift

target=wasm32-unknown-unknown
work=$PWD/target
mkdir -p "$work"
build=(cargo build --release --target "$target" -p "$package" "$@")

has_target() {
    [ -n "$(ls "$(rustc --print sysroot)/lib/rustlib/$target/lib" 2>/dev/null)" ]
}

# Prints the folder of the standard library's source of this release, if there is one.
library() {
    local version folder
    version=$(rustc -V | cut -d' ' -f2)
    for folder in "$(rustc --print sysroot)/lib/rustlib/src/rust/library" "/usr/src/rustc-$version/library" "$work/rust-src-$version/library"; do
        [ -d "$folder/std" ] && echo "$folder" && return
    done
    fetch_library "$version" "$work/rust-src-$version" >&2 && echo "$work/rust-src-$version/library"
}

# Extracts the source from Debian's backports, without a change to apt's settings.
fetch_library() {
    local version=$1 folder=$2 apt exact
    command -v apt-get >/dev/null && [ -r /etc/apt/sources.list.d/debian.sources ] || return 1
    apt=$(mktemp -d)
    mkdir -p "$apt"/{parts,lists/partial,cache/archives/partial}
    chmod -R a+rwX "$apt"
    sed '/^$/,$d; s/^Suites:.*/Suites: trixie-backports/' /etc/apt/sources.list.d/debian.sources >"$apt/backports.sources"
    local options=(-qq -o Dir::Etc::sourcelist="$apt/backports.sources" -o Dir::Etc::sourceparts="$apt/parts"
        -o Dir::State::lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update || return 1
    exact=$(apt-cache "${options[@]}" madison rust-src | awk -v v="$version+" 'index($3, v) == 1 { print $3; exit }')
    [ -n "$exact" ] || return 1
    (cd "$apt" && apt-get "${options[@]}" download "rust-src=$exact") || return 1
    mkdir -p "$folder"
    dpkg-deb --fsys-tarfile "$apt"/rust-src_*.deb | tar -x -C "$folder" --strip-components=4 "./usr/src/rustc-$version/library" || return 1
    rm -r "$apt"
}

if has_target || { command -v rustup >/dev/null && rustup target add "$target" >&2 && has_target; }; then
    "${build[@]}" >&2
elif source=$(library); then
    echo "no $target from rustup: building the standard library from $source" >&2
    RUSTC_BOOTSTRAP=1 __CARGO_TESTS_ONLY_SRC_ROOT=$source "${build[@]}" -Zbuild-std=std,panic_abort,proc_macro >&2
else
    echo "there is no standard library for $target: neither \`rustup target add $target\` nor the source of Debian's package \`rust-src\` can be had" >&2
    exit 1
fi
echo "${CARGO_TARGET_DIR:-$work}/$target/release/${package//-/_}.wasm"
