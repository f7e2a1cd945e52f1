//! Tests of the order of evaluation, and of cycles.

use super::{check, check_valid, mistakes};

#[test]
fn equations_keep_the_order_of_the_source_if_possible() {
    let cell = check_valid("<H> input x: [H]; b = tanh(x); a = tanh(x); output a, b;");
    assert_eq!(cell.order(), ["b", "a"]);
}

#[test]
fn equations_in_any_order_are_sorted() {
    let cell = check_valid(
        "<H> output h; state h, c: [H]; input x: [H]; h = o * tanh(c); c = f * c[t-1] + i; \
         f = sigmoid(x); i = sigmoid(x + h[t-1]); o = sigmoid(x + c);",
    );
    assert_eq!(cell.order(), ["f", "i", "c", "o", "h"]);
}

#[test]
fn a_read_of_the_previous_step_is_not_a_cycle() {
    let cell = check_valid("<H> state a, b: [H]; a = tanh(b[t-1]); b = tanh(a); output a;");
    assert_eq!(cell.order(), ["a", "b"]);
}

#[test]
fn a_long_cycle_is_shown_in_part() {
    let mut source = "<H> input x: [H]; z0 = x + z20; ".to_owned();
    for index in 1..=20 {
        source.push_str(&format!("z{index} = tanh(z{}); ", index - 1));
    }
    source.push_str("output z20;");
    let messages = check(&source).messages;
    assert_eq!(messages.len(), 1);
    assert!(
        messages[0].starts_with(
            "a cycle within one step: `z0 -> z20 -> z19 -> z18 -> z17 -> z16 -> .. -> z1 -> z0`"
        )
    );
}

#[test]
fn at_most_a_hundred_cycles_are_reported() {
    let mut source = "<H> input x: [H]; state h: [H]; ".to_owned();
    let mut sum = "x".to_owned();
    for index in 0..300 {
        source.push_str(&format!("z{index} = tanh(h); "));
        sum = format!("max({sum}, z{index})");
        source.push_str(&format!("s{index} = {sum}; "));
        sum = format!("s{index}");
    }
    source.push_str(&format!("h = {sum}; output h;"));
    assert_eq!(check(&source).messages.len(), 100);
}

mistakes! {
    cycle_of_gates:
        "<H> input x: [H]; state h: [H]; i = tanh(x + h); o = tanh(i); h = i * o; output h;"
        => [
            "a cycle within one step: `i -> h -> i`\n\
             note: `i` reads `h`, and so on: none of them can be computed first\n\
             help: for the previous value write `h[t-1]`",
        ];

    cycle_of_several_gates:
        "<I, H> input x: [I]; state h, c: [H]; param W_i, W_f, W_o, W_g: [H, H + I]; param p: [H]; i = \
         sigmoid(W_i @ [h, x]); f = sigmoid(W_f @ [h, x]); o = sigmoid(W_o @ [h[t-1], x] + p * c); c = f \
         * c[t-1] + i * tanh(W_g @ [h, x]); h = o * tanh(c); output h;"
        => [
            "a cycle within one step: `i -> h -> c -> i`\n\
             note: `i` reads `h`, and so on: none of them can be computed first\n\
             help: for the previous value write `h[t-1]`",
            "a cycle within one step: `f -> h -> c -> f`\n\
             note: `f` reads `h`, and so on: none of them can be computed first\n\
             help: for the previous value write `h[t-1]`",
            "a cycle within one step: `c -> h -> c`\n\
             note: `c` reads `h`, and so on: none of them can be computed first\n\
             help: for the previous value write `h[t-1]`",
        ];

    cycle_with_output_gate_first:
        "<I, H> input x: [I]; state h, c: [H]; param W_i, W_o: [H, H + I]; param p: [H]; o = sigmoid(W_o \
         @ [h[t-1], x] + p * c); i = sigmoid(W_i @ [h, x]); c = c[t-1] + i; h = o * tanh(c); output h;"
        => [
            "a cycle within one step: `i -> h -> c -> i`\n\
             note: `i` reads `h`, and so on: none of them can be computed first\n\
             help: for the previous value write `h[t-1]`",
        ];

    cycle_of_one:
        "<H> input x: [H]; state h, z: [H]; z = sigmoid(x); h = (1 - z) * h + z * x; output h;"
        => [
            "a cycle within one step: `h -> h`\n\
             note: its value would have to be known before it is computed\n\
             help: for the previous value write `h[t-1]`",
        ];

    cycle_without_a_state:
        "<H> input x: [H]; a = x + b; b = x * c; c = tanh(a); output c;"
        => [
            "a cycle within one step: `a -> b -> c -> a`\n\
             note: `a` reads `b`, and so on: none of them can be computed first\n\
             help: make one of them a state: `state b: [..];`, read as `b[t-1]`",
        ];
}
