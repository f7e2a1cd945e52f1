# Prints the cost of a step on the current target, one row per cell (sourced by run.sh).
printed=${printed:-}
[ -n "$printed" ] || printf '| target | cell | instructions | ns | code | stack | state |\n| --- | --- | --- | --- | --- | --- | --- |\n'
printed=yes
build '' --bin figures
# Prints the number of executed instructions: `executed CELL STEPS`.
executed() {
    qemu-aarch64 -L /usr/aarch64-linux-gnu -singlestep -d exec,nochain -D /dev/stdout "$built/figures" "$1" "$2" | grep -c ^Trace
}
cell=0
while read -r symbol instructions stack state; do
    time=
    case $name in
    aarch64) instructions=$((($(executed $cell 5) - $(executed $cell 1)) / 4)) ;;
    wasm*) instructions='' time=$(node wasm.mjs "$built/figures.wasm" $cell) ;;
    esac
    case $name in
    wasm*) code=$(node wasm.mjs "$built/figures.wasm" "$symbol") ;;
    *) code=$(readelf -sW "$built/figures" | awk -v symbol="$symbol" '$8 == symbol { print $3 }') ;;
    esac
    IFS=_ read -r type inputs units <<<"$symbol"
    echo "| $name | ${type^^} ($inputs, $units) | $instructions | $time | $code | $stack | $state |"
    cell=$((cell + 1))
done < <(run "$name" "$built/figures")
