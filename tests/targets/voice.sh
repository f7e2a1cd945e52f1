# Checks the voice detector on the target at hand (sourced by run.sh): the decision for each chunk
# is that of ONNX Runtime, which runs the network in `f32`, the probabilities are the host's, and
# the program stays within its budget. Prints the budget.
build '' --bin voice
run "$name" "$built/voice" >"$target/outputs/$name-voice" || { echo "$name: voice: exit code $?"; exit 1; }
data=../../examples/data/silero
# Prints the probabilities of ONNX Runtime, one per line.
reference() {
    sed 's/.*"probability": \[\([^]]*\)\].*/\1/; s/, /\n/g' "$data/speech.json"
}
agreement=$(paste -d' ' <(reference) <(grep '^chunk' "$target/outputs/x86-voice") <(grep '^chunk' "$target/outputs/$name-voice") | awk '
    function value(text, parts) { split(text, parts, "p"); return parts[1] * 2 ^ -parts[2] }
    function distance(a, b) { return a > b ? a - b : b - a }
    {
        exact = $1; host = value($4); own = value($8)
        if (NF != 9 || $9 != (exact >= 0.5 ? "speech" : "silence")) wrong = own " (" $9 "), ONNX Runtime: " exact
        else if (!(distance(own, host) <= 1e-4)) wrong = own ", the host: " host
        if (wrong) { print "chunk " NR - 1 ": " wrong; exit 1 }
        if (distance(own, exact) > off) off = distance(own, exact)
        if (distance(own, host) > off_host) off_host = distance(own, host)
        speech += $9 == "speech"
    }
    END {
        if (wrong) exit 1
        printf "%d of %d chunks are speech, as ONNX Runtime decides; ", speech, NR
        printf "probabilities within %.4f of its, %.1e of the host'\''s\n", off, off_host
        exit !(NR == 239 && speech > 0 && speech < NR)
    }') || { echo "$name: voice: $agreement"; exit 1; }
# Prints the sum of the sizes of sections in bytes.
sections() {
    local section size sum=0
    while read -r section _ _ _ size _; do
        [[ " $* " != *" $section "* ]] || sum=$((sum + 16#$size))
    done < <(readelf -SW "$built/voice" | sed -n 's/^ *\[ *[0-9]*\] //p')
    echo "$sum"
}
# Fails if a figure exceeds its limit: `within WHAT FIGURE LIMIT`.
within() {
    [ "$2" -gt 0 ] && [ "$2" -le "$3" ] || { echo "$name: voice: $2 $1, more than $3"; exit 1; }
}
read -r _ instructions stack state weights < <(grep '^budget' "$target/outputs/$name-voice")
# The recording stands for a microphone. Initial values of variables are in flash, too.
flash=$(($(sections .vectors .text .rodata .data) - $(stat -c %s "$data/speech.wav")))
ram=$(($(sections .data .bss) + stack + state))
within 'instructions per chunk' "$instructions" 1200000
within 'bytes of flash' "$flash" $((352 * 1024))
within 'bytes of RAM' "$ram" $((32 * 1024))
echo "$name: voice: $agreement"
echo "$name: voice: $instructions instructions per chunk of 32 ms, $flash bytes of flash ($weights of weights), $ram bytes of RAM ($stack of stack)"
