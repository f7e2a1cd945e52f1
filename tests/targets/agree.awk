# Compares two outputs of `panic-free` or `some-cells`: awk -v tolerance=T -f agree.awk REFERENCE OTHER
# Prints the largest difference, and fails unless all lines agree to `tolerance`, relative to the
# larger of one and the number. A number is `MpE`, which is M / 2^E.
function value(text, parts) {
    split(text, parts, "p")
    return parts[1] * 2 ^ -parts[2]
}
FNR == NR { reference[FNR] = $0; lines = FNR; next }
/^#/ { cell = $0 }
{
    compared++
    if ($0 == reference[FNR]) next
    count = split(reference[FNR], expected, " ")
    if (count != NF || /^#/) { print "line " FNR " differs: " $0; failed = 1; exit 1 }
    for (i = 1; i <= NF; i++) {
        a = value(expected[i]); b = value($i)
        difference = a > b ? a - b : b - a
        scale = a > 1 ? a : a < -1 ? -a : 1
        if (!(difference <= tolerance * scale)) { print cell ": " b " instead of " a; failed = 1; exit 1 }
        if (difference / scale > largest) { largest = difference / scale; where = cell }
    }
}
END {
    if (failed) exit 1
    if (compared != lines) { print compared " lines instead of " lines; exit 1 }
    printf "%d lines, largest difference %.1e %s\n", compared, largest, where
}
