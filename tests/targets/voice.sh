# Checks the voice detector on the target at hand (sourced by run.sh): the decision for each chunk is
# that of ONNX Runtime with the network in `f32`, the probabilities are the host's, and the program
# stays within its budget. Prints the budget.
build '' --bin voice
run "$name" "$built/voice" >"$target/outputs/$name-voice" || { echo "$name: voice: exit code $?"; exit 1; }
data=../../examples/data/silero
# Prints the probabilities of ONNX Runtime, one per line.
reference() { tr -d ' \n' <"$data/speech.json" | sed 's/.*"probability":\[\([^]]*\)\].*/\1/' | tr , '\n' | sed '$a\'; }
differences=$(paste -d' ' <(reference) <(grep '^chunk' "$target/outputs/x86-voice") <(grep '^chunk' "$target/outputs/$name-voice") | awk '
    function value(text, parts) { split(text, parts, "p"); return parts[1] * 2 ^ -parts[2] }
    function above(a, b) { return a > b ? a - b : b - a }
    {
        exact = $1; host = value($4); own = value($8)
        if (NF != 9 || $9 != (exact >= 0.5 ? "speech" : "silence")) { print "chunk " NR - 1 ": " own " (" $9 ") instead of " exact; failed = 1; exit }
        if (!(above(own, host) <= 1e-4)) { print "chunk " NR - 1 ": " own " instead of the host'"'"'s " host; failed = 1; exit }
        if (above(own, exact) > worst) worst = above(own, exact)
        if (above(own, host) > off) off = above(own, host)
        speech += $9 == "speech"
    }
    END {
        if (!failed && (speech < 50 || NR - speech < 50)) { print speech " of " NR " chunks are speech"; failed = 1 }
        if (failed) exit 1
        printf "%d of %d chunks are speech, as ONNX Runtime decides; probabilities within %.4f of its, %.1e of the host'"'"'s\n", speech, NR, worst, off
    }') || { echo "$name: voice: $differences"; exit 1; }
# Prints the size of sections in bytes.
sections() {
    local section size sum=0
    while read -r section _ _ _ size _; do
        [[ " $* " != *" $section "* ]] || sum=$((sum + 16#$size))
    done < <(readelf -SW "$built/voice" | sed -n 's/^ *\[ *[0-9]*\] //p')
    echo "$sum"
}
read -r _ instructions stack state weights < <(grep '^budget' "$target/outputs/$name-voice")
# The recording stands for a microphone. A static value with an initial value is in flash, too.
flash=$(($(sections .vectors .text .rodata .data) - $(stat -c %s "$data/speech.wav")))
ram=$(($(sections .data .bss) + stack + state))
within() {
    [ "$2" -gt 0 ] && [ "$2" -le "$3" ] || { echo "$name: voice: $1: $2, the budget is $3"; exit 1; }
}
within 'instructions per chunk' "$instructions" 1600000
within 'bytes of flash' "$flash" $((512 * 1024))
within 'bytes of RAM' "$ram" $((64 * 1024))
echo "$name: voice: $differences"
echo "$name: voice: $instructions instructions per chunk of 32 ms (3200000 cycles at 100 MHz), $flash bytes of flash ($weights of weights), $ram bytes of RAM ($stack of stack)"
