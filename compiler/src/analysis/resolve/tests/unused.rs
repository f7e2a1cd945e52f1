//! Tests of unused definitions, and of outputs.

use super::mistakes;

mistakes! {
    unused_input:
        "<H> input x, m: [H]; y = tanh(x); output y;"
        => [
            "input `m` is never used\n\
             help: remove it, or name it `_m` to keep it",
        ];

    unused_parameter:
        "<H> input x: [H]; param W: [H, H]; y = tanh(x); output y;"
        => [
            "parameter `W` is never used\n\
             help: remove it, or name it `_W` to keep it",
        ];

    unused_buffer:
        "<H> input x: [H]; buffer leak: [] = 0.5; y = tanh(x); output y;"
        => [
            "buffer `leak` is never used\n\
             help: remove it, or name it `_leak` to keep it",
        ];

    unused_context:
        "<H> input x: [H]; context m: [H]; y = tanh(x); output y;"
        => [
            "context `m` is never used\n\
             help: remove it, or name it `_m` to keep it",
        ];

    unused_state:
        "<H> input x: [H]; state h: [H]; h = x; output y; y = tanh(x);"
        => [
            "state `h` is never used\n\
             note: no equation reads it and it is not an output\n\
             help: remove it, add it to `output`, or name it `_h` to keep it",
        ];

    unused_state_that_feeds_itself:
        "<H> input x: [H]; state c: [H]; c = c[t-1] + x; y = tanh(x); output y;"
        => [
            "state `c` is never used\n\
             note: it feeds only itself\n\
             help: remove it, add it to `output`, or name it `_c` to keep it",
        ];

    unused_states_that_feed_each_other:
        "<H> input x: [H]; state a, b: [H]; a = b[t-1] + x; b = a[t-1] * x; y = tanh(x); output y;"
        => [
            "state `a` is never used\n\
             note: `a`, `b` feed only each other\n\
             help: remove it, add it to `output`, or name it `_a` to keep it",
        ];

    unused_equation:
        "<H> input x: [H]; param b: [H]; q = x + b; y = tanh(x); output y;"
        => [
            "`q` is never used\n\
             note: no other equation reads it and it is not an output\n\
             help: remove it, add it to `output`, or name it `_q` to keep it",
        ];

    unused_part_of_a_split:
        "<H> input x: [2*H]; [f, g] = x; output f;"
        => [
            "`g` is never used\n\
             note: no other equation reads it and it is not an output\n\
             help: remove it, add it to `output`, or name it `_g` to keep it",
        ];

    unused_dimension:
        "<H, K> input x: [H]; y = tanh(x); output y;"
        => [
            "dimension `K` is never used\n\
             help: remove it, or name it `_K` to keep it",
        ];

    unused_function:
        "<H> input x: [H]; fn f(u) = g(u); fn g(u) = u * u; y = tanh(x); output y;"
        => [
            "function `f` is never called\n\
             help: remove it, or name it `_f` to keep it",
        ];

    unused_argument:
        "<H> input x: [H]; fn f(u, v) = u * u; y = f(x, x); output y;"
        => [
            "argument `v` of `f` is never used\n\
             help: remove it, or name it `_v` to keep it",
        ];

    missing_output:
        "<H> input x: [H]; y = tanh(x); output z1;"
        => [
            "there is no state or equation `z1`\n\
             help: add an equation `z1 = ..;`",
        ];

    missing_output_near:
        "<H> input x: [H]; hidden = tanh(x); output hiden;"
        => [
            "there is no state or equation `hiden`\n\
             help: should this be `hidden`?",
        ];

    input_as_output:
        "<H> input x: [H]; y = tanh(x); output x, y;"
        => [
            "`x` is an input and can't be an output\n\
             note: an output is a state or the value of an equation\n\
             help: give it a name of its own: `y = x;` and `output y;`",
        ];

    output_twice:
        "<H> input x: [H]; y = tanh(x); output y, y;"
        => [
            "output `y` is declared twice\n\
             help: remove one of them",
        ];

    no_output:
        "<H> input x: [H]; state h: [H]; h = tanh(x);"
        => [
            "cell `Test` has no output\n\
             note: an output is a state or the value of an equation, returned at every step\n\
             help: add `output h;`",
        ];

    no_output_and_no_state:
        "<H> input x: [H]; y = tanh(x);"
        => [
            "cell `Test` has no output\n\
             note: an output is a state or the value of an equation, returned at every step\n\
             help: add `output y;`",
        ];

    nothing_at_all:
        ""
        => [
            "cell `Test` has no output\n\
             note: an output is a state or the value of an equation, returned at every step\n\
             help: add an equation `y = ..;` and `output y;`",
        ];
}
