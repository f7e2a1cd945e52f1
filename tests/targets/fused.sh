# Checks that every multiply-add of the products of a step on aarch64 is done by a vector `fmla`
# (sourced by run.sh). An emulator prints the address of each executed instruction.
build '' --bin figures
# Prints the mnemonics of executed instructions and how often: `executed CELL STEPS`.
executed() {
    aarch64-linux-gnu-objdump -d --no-show-raw-insn "$built/figures" >"$target/outputs/figures.s"
    qemu-aarch64 -L /usr/aarch64-linux-gnu -singlestep -d exec,nochain -D /dev/stdout "$built/figures" "$1" "$2" |
        awk 'FNR == NR { if ($1 ~ /^[0-9a-f]+:$/) name[substr($1, 1, length($1) - 1)] = $2 ($5 ~ /[.]s\[/ ? ".element" : ""); next }
            /^Trace/ { split($0, part, "/"); sub(/^0+/, "", part[2]); count[part[2] in name ? name[part[2]] : "other"]++ }
            END { for (n in count) print n, count[n] }' "$target/outputs/figures.s" -
}
# Products multiply by an element of a vector, activations by whole vectors. The numbers are the
# multiply-adds of the products of `Lstm<16, 32>` and `Gru<16, 32>`, which are the cells 1 and 4.
for line in '1 6144' '4 4608'; do
    read -r cell wanted <<<"$line"
    lanes=$(join -a 2 -e 0 -o 0,1.2,2.2 <(executed "$cell" 1 | sort) <(executed "$cell" 2 | sort) |
        awk '$1 == "fmla.element" { print 4 * ($3 - $2) }')
    [ "${lanes:-0}" -ge "$wanted" ] || { echo "aarch64: $lanes of $wanted multiply-adds are fused"; exit 1; }
done
