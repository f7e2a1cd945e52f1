# Prints the cost of a step of a quantised copy on the current target, one row per cell and format
# (sourced by run.sh). Checks that products in integers have the same bits as on the host, and that
# steps stay within their budgets.
build '' --bin quantised-figures
figures=$(run "$name" "$built/quantised-figures")
if [ "$(grep '^checksum' <<<"$figures")" != "$(grep '^checksum' <<<"$quantised_on_host")" ]; then
    echo "$name: products in integers differ from the host's"
    exit 1
fi
declare -A budget=([lstm_1_16_int8_by_16]=7000 [lstm_16_32_int8_by_16]=20000 [lstm_64_64_int8_by_16]=76000)
printf '| cell | format | instructions | code | stack | error of an output |\n| --- | --- | --- | --- | --- | --- |\n'
while read -r symbol instructions stack error; do
    [ "$symbol" != checksum ] || continue
    if [ "$instructions" -gt "${budget[$symbol]:-$instructions}" ]; then
        echo "$name: $symbol takes $instructions instructions, more than ${budget[$symbol]}"
        exit 1
    fi
    IFS=_ read -r type inputs units format <<<"$symbol"
    code=$(readelf -sW "$built/quantised-figures" | awk -v symbol="$symbol" '$8 == symbol { print $3 }')
    echo "| $type ($inputs, $units) | $format | $instructions | $code | $stack | 0.$(printf '%04d' "$error") |"
done <<<"$figures"
