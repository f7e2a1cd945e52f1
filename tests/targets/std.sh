# Packages, and standard libraries of other targets, sourced by run.sh, web/wasm.sh and .ci/run. The
# first two set `target` to cargo's folder.

# Returns whether a program exists, after an attempt to install it from the packages.
has() {
    local program=$1
    shift
    command -v "$program" >/dev/null && return
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        apt-get update -qq && apt-get install -qq -y --no-install-recommends "$@"
    fi >/dev/null 2>&1
    command -v "$program" >/dev/null
}

# Prints the folder with the source of this release's standard library: rustup's, Debian's, or a
# download.
source_of_std() {
    local folder
    for folder in "$(rustc --print sysroot)/lib/rustlib/src/rust" "/usr/src/rustc-$(rustc -V | cut -d' ' -f2)" "$target/std"; do
        [ -d "$folder/library/std" ] && echo "$folder/library" && return
    done
    download_std >&2 && echo "$target/std/library"
}

# Downloads that source from Debian into $target/std, without touching the files of apt or rustup.
download_std() {
    local folder=$target/std version apt exact options
    command -v apt-get >/dev/null && [ -f /etc/apt/sources.list.d/debian.sources ] || return 1
    version=$(rustc -V | cut -d' ' -f2)
    apt=$folder/apt
    mkdir -p "$apt"/{parts,lists/partial,cache/archives/partial}
    chmod -R a+rwX "$apt"
    sed '/^$/,$d; s/^Suites:.*/Suites: trixie-backports/' /etc/apt/sources.list.d/debian.sources >"$apt/backports.sources"
    options=(-qq -o "Dir::Etc::sourcelist=$apt/backports.sources" -o "Dir::Etc::sourceparts=$apt/parts"
        -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
    apt-get "${options[@]}" update &&
        exact=$(apt-cache "${options[@]}" madison rust-src | awk -v v="$version+" 'index($3, v) == 1 { print $3; exit }') &&
        [ -n "$exact" ] && (cd "$apt" && apt-get "${options[@]}" download "rust-src=$exact") &&
        dpkg-deb --fsys-tarfile "$apt"/rust-src_*.deb |
        tar -x -C "$folder" --strip-components=4 "./usr/src/rustc-$version/library" || return 1
    rm -r "$apt"
}

# Sets `std` to the options with which cargo builds for a target. There are none if rustup has its
# standard library, otherwise they build it from source.
std=()
needs_std() {
    local installed source
    std=()
    if [ -z "${STD_FROM_SOURCE:-}" ]; then
        installed=$(rustc --print target-libdir --target "$1")
        [ -d "$installed" ] || rustup target add "$1" >/dev/null 2>&1 || true
        [ -d "$installed" ] && return
    fi
    source=$(source_of_std) || return 1
    export RUSTC_BOOTSTRAP=1 __CARGO_TESTS_ONLY_SRC_ROOT=$source
    std=("-Zbuild-std=$2")
}
