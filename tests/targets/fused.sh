# Checks that a step on aarch64 computes its products by vectors of fused multiply-adds (sourced by
# run.sh). An emulator prints the address of each executed instruction.
build '' --bin figures
aarch64-linux-gnu-objdump -d --no-show-raw-insn "$built/figures" >"$target/outputs/figures.s"
# Prints the lanes of executed `fmla` on vectors of four, and of executed multiplications of floats
# without an addition: `lanes CELL STEPS`.
lanes() {
    qemu-aarch64 -L /usr/aarch64-linux-gnu -singlestep -d exec,nochain -D /dev/stdout "$built/figures" "$1" "$2" | awk '
        FNR == NR {
            if ($1 !~ /^[0-9a-f]+:$/) next
            address = substr($1, 1, length($1) - 1)
            if ($2 == "fmla" && $3 ~ /4s/) fused[address] = 4
            if ($2 == "fmul" || $2 == "fnmul") separate[address] = $3 ~ /4s/ ? 4 : $3 ~ /2s/ ? 2 : 1
            next
        }
        /^Trace/ {
            split($0, part, "/")
            sub(/^0+/, "", part[2])
            if (part[2] in fused) all_fused += fused[part[2]]
            if (part[2] in separate) all_separate += separate[part[2]]
        }
        END { print all_fused + 0, all_separate + 0 }' "$target/outputs/figures.s" -
}
# Cells 1 and 4, `Lstm<16, 32>` and `Gru<16, 32>`, with the multiply-adds of their products. The
# gates and activations need at most 16 other multiplications for each of 32 units.
for line in '1 6144' '4 4608'; do
    read -r cell wanted <<<"$line"
    read -r fused separate < <(paste -d' ' <(lanes "$cell" 2) <(lanes "$cell" 1) | awk '{ print $1 - $3, $2 - $4 }')
    [ "$fused" -ge "$wanted" ] && [ "$separate" -le $((16 * 32)) ] || {
        echo "aarch64: cell $cell: $fused fused multiply-adds, $wanted wanted, and $separate other multiplications"
        exit 1
    }
    echo "aarch64: cell $cell: $fused fused multiply-adds in vectors, $wanted of products; $separate other multiplications"
done
