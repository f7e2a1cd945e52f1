# Runs the longer checks of the current target (sourced by run.sh): weight files without `std`; on
# the Cortex-M4, quantised copies; on aarch64, the unit tests and PyTorch's values, which need
# `std`.
build loaders --bin loaders
run "$name" "$built/loaders" >"$target/outputs/$name-loaders" || { echo "$name: loaders: exit code $?"; exit 1; }
awk -v tolerance=1e-5 -f ../targets/agree.awk "$target/outputs/x86-loaders" "$target/outputs/$name-loaders"
[ "$name" != cortex-m4 ] || . ../targets/quantised.sh
if [ "$name" = aarch64 ]; then
    (
        cd ../..
        if [ "${#std[@]}" -gt 0 ]; then std=(-Zbuild-std); fi
        export CARGO_TARGET_DIR=$target/aarch64-tests RUSTFLAGS='--cfg rnn_cell_one_set'
        cargo test --quiet --target "$triple" "${std[@]}" -p rnn-cell --lib --features nam,onnx,quantised,rayon,rtneural,safetensors,serde
        cargo test --quiet --target "$triple" "${std[@]}" -p tests --test golden
    )
fi
