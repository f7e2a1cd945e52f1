#!/usr/bin/env bash
# Writes a page as one file: `page.sh FOLDER MODULE OUT [NAME=FILE ..]`. A line `@NAME@` of
# FOLDER/page.html is replaced by the file NAME of the folder, or by FILE; `@base.css@` by the style
# that pages share. `@module@` and each FILE are compressed and written in base64.
set -euo pipefail
folder=$1 module=$2 out=$3
shift 3
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
packed() {
    gzip -9 -n -c "$1" | base64 -w 0 >"$work/$2"
    echo >>"$work/$2"
}
packed "$module" module
for given in "$@"; do
    packed "${given#*=}" "${given%%=*}"
done
script=()
for file in "$(dirname "$0")"/base.css "$folder"/*.css "$folder"/*.js "$work"/*; do
    script+=(-e "/^@$(basename "$file")@\$/{r $file" -e "d}")
done
mkdir -p "$(dirname "$out")"
sed "${script[@]}" "$folder/page.html" >"$out"
if grep -n '^@.*@$' "$out" >&2; then
    echo "$out lacks a part" >&2
    exit 1
fi
echo "$out: $(wc -c <"$out") bytes; the module has $(wc -c <"$module"), compressed $(gzip -9 -c "$module" | wc -c)"
