//! Tests of reads of undefined names, and of names that cannot be read there.

use super::mistakes;

mistakes! {
    unknown_name:
        "<I, H> input x: [I]; state h: [H]; param W: [H, I]; h = tanh(W @ x + bias); output h;"
        => [
            "unknown name `bias`\n\
             help: declare it, or define it by an equation `bias = ..;`",
        ];

    unknown_name_near:
        "<H> state hidden: [H]; param gain: [H]; hidden = tanh(gian * hidden[t-1]); output hidden;"
        => [
            "unknown name `gian`\n\
             help: should this be `gain`?",
        ];

    unknown_name_letter_case:
        "<I, H> input x: [I]; param W: [H, I]; h = w @ x; output h;"
        => [
            "unknown name `w`\n\
             help: should this be `W`?",
        ];

    unknown_name_is_one_mistake_however_often_read:
        "<H> input x: [H]; a = x + bias; b = x * bias; h = a + b + bias; output h;"
        => [
            "unknown name `bias`\n\
             help: declare it, or define it by an equation `bias = ..;`",
        ];

    the_previous_value_by_a_name:
        "<H> input x: [H]; state h: [H]; h = x + h_prev; output h;"
        => [
            "unknown name `h_prev`\n\
             help: for the previous value write `h[t-1]`",
        ];

    the_previous_value_by_an_index:
        "<H> input x: [H]; state h: [H]; h = x + h_t_1; output h;"
        => [
            "unknown name `h_t_1`\n\
             help: for the previous value write `h[t-1]`",
        ];

    the_previous_value_by_one_word:
        "<H> input x: [H]; state h: [H]; h = x + hprev; output h;"
        => [
            "unknown name `hprev`\n\
             help: for the previous value write `h[t-1]`",
        ];

    this_step_by_a_name:
        "<H> input x: [H]; state h: [H]; h = x + h[t-1]; y = tanh(h_t); output y;"
        => [
            "unknown name `h_t`\n\
             help: the previous value is `h[t-1]`, the current one `h`",
        ];

    an_input_at_this_step_by_a_name:
        "<H> input x: [H]; y = tanh(x_t); output y;"
        => [
            "unknown name `x_t`\n\
             help: should this be `x`?",
        ];

    a_previous_input_by_a_name:
        "<H> input x: [H]; y = x + x_prev; output y;"
        => [
            "unknown name `x_prev`\n\
             help: for the previous value write `x[t-1]`",
        ];

    function_as_value:
        "<H> input x: [H]; y = x + tanh; output y;"
        => [
            "`tanh` is a function, not a value\n\
             help: call it: `tanh(..)`",
        ];

    unknown_function:
        "<H> input x: [H]; y = frobnicate(x); output y;"
        => [
            "unknown function `frobnicate`\n\
             help: define it: `fn frobnicate(u) = ..;`",
        ];

    unknown_function_near:
        "<H> input x: [H]; y = sigmiod(x); output y;"
        => [
            "unknown function `sigmiod`\n\
             help: should this be `sigmoid`?",
        ];

    unknown_function_letter_case:
        "<H> input x: [H]; y = Tanh(x); output y;"
        => [
            "unknown function `Tanh`\n\
             help: should this be `tanh`?",
        ];

    unknown_function_of_another_name:
        "<H> input x: [H]; y = log(x); output y;"
        => [
            "unknown function `log`\n\
             help: the natural logarithm is `ln(u)`",
        ];

    equation_as_function:
        "<H> input x: [H]; f = tanh(x); y = f(x); output y;"
        => [
            "`f` is an equation, not a function\n\
             help: a product needs its operator: `f * x` is element-wise, `f @ x` the matrix product",
        ];

    parameter_as_function:
        "<I, H> input x: [I]; param W: [H, I]; y = W(x); output y;"
        => [
            "`W` is a parameter, not a function\n\
             help: a product needs its operator: `W * x` is element-wise, `W @ x` the matrix product",
        ];

    dimension_as_function:
        "<H> input x: [H]; y = H(x); output y;"
        => [
            "`H` is a dimension, not a function\n\
             help: a product is `H * x`",
        ];

    state_at_parentheses:
        "<H> input x: [H]; state h: [H]; h = x + h(t-1); output h;"
        => [
            "a time index is written in brackets\n\
             help: write `h[t-1]`",
        ];

    the_step_as_value:
        "<H> input x: [H]; y = x * t; output y;"
        => [
            "`t` is the current step and has no value\n\
             help: a state can count: `state n: [];` and `n = n[t-1] + 1;`",
        ];

    earlier_values:
        "<I, D> input x: [I]; f = tanh(x); y = f[t-1] + x[t-3] + x[t-2*D]; output y;"
        => [];

    own_past:
        "<I> input x: [I]; y: [I] = x + 0.5 * y[t-1] + y[t-2]; output y;"
        => [
            "`y` depends on its own earlier values\n\
             note: only a state can depend on its own past: it has an initial value\n\
             help: declare it: `state y: [I];`",
        ];

    own_past_through_others:
        "<I> input x: [I]; y = x + z; z = tanh(q); q = y[t-2]; output y;"
        => [
            "`y` depends on its own earlier values through `z -> q`\n\
             note: only a state can depend on its own past: it has an initial value\n\
             help: declare it: `state y: [..];`",
        ];

    delay_by_a_value:
        "<I> input x: [I], s: []; y = x[t-s] + s; output y;"
        => [
            "`s` is an input, not a dimension\n\
             note: a delay is the same number of steps at every step\n\
             help: delay by a number, `x[t-2]`, or by a dimension of the cell, as in `x[t-D]`",
        ];

    delay_by_an_unknown_dimension:
        "<I> input x: [I]; y = x[t-D]; output y;"
        => [
            "unknown dimension `D`\n\
             help: declare it: `cell Test<I, D>`",
        ];

    previous_parameter:
        "<I> input x: [I]; param b: [I]; y = x + b[t-1]; output y;"
        => [
            "`b` is a parameter and has no time index\n\
             note: it is the same at every step\n\
             help: write `b`",
        ];

    parameter_at_this_step:
        "<I> input x: [I]; param b: [I]; y = x + b[t]; output y;"
        => [
            "`b` is a parameter and has no time index\n\
             note: it is the same at every step\n\
             help: write `b`",
        ];

    dimension_at_a_step:
        "<I> input x: [I]; y = x * I[t]; output y;"
        => [
            "`I` is a dimension and has no time index\n\
             note: it is the same at every step\n\
             help: write `I`",
        ];

    later_step:
        "<H> input x: [H]; state h: [H]; h = x + h[t+1]; output h;"
        => [
            "`h[t+1]` is a later step\n\
             help: an equation reads values of the current step, `h`, and of earlier ones, such as `h[t-1]`",
        ];

    too_few_arguments:
        "<H> input x: [H]; y = clamp(x); output y;"
        => [
            "`clamp` takes 3 arguments, not 1\n\
             help: `clamp(u, low, high)`",
        ];

    too_many_arguments:
        "<H> input x: [H]; y = tanh(x, x); output y;"
        => [
            "`tanh` takes 1 argument, not 2\n\
             help: `tanh(u)`",
        ];

    wrong_number_of_arguments_of_softmax:
        "<H> input x: [H]; y = softmax(x, x, x); output y;"
        => [
            "`softmax` takes 1 or 2 arguments, not 3\n\
             help: `softmax(e)` or `softmax(e, mask)`",
        ];

    wrong_number_of_arguments_of_the_users_function:
        "<H> input x: [H]; fn f(u, v) = u * v; y = f(x); output y;"
        => [
            "`f` takes 2 arguments, not 1\n\
             help: `f(u, v)`",
        ];

    initial_state_reads_an_input:
        "<H> input x: [H]; state h: [H] = tanh(x); h = x + h[t-1]; output h;"
        => [
            "the initial value of `h` can't read `x`, which is an input\n\
             note: it is computed before the first step, from parameters, buffers and contexts",
        ];

    initial_state_reads_a_state:
        "<H> input x: [H]; state h, c: [H] = c; h = x + h[t-1]; c = h; output h, c;"
        => [
            "the initial value of `h` can't read `c`, which is a state\n\
             note: it is computed before the first step, from parameters, buffers and contexts",
            "the initial value of `c` can't read `c`, which is a state\n\
             note: it is computed before the first step, from parameters, buffers and contexts",
        ];

    initial_state_at_random:
        "<H> input x: [H]; state h: [H] = normal(0.1); h = x + h[t-1]; output h;"
        => [
            "`normal` is an initialiser of parameters and buffers\n\
             note: the initial value of state `h` is computed anew for every sequence\n\
             help: `param h_0: [H] = normal(0.1);` (or `buffer`) and `state h: [H] = h_0;`",
        ];

    initial_state_by_an_initialiser:
        "<H> input x: [H]; state h: [H] = orthogonal; h = x + h[t-1]; output h;"
        => [
            "`orthogonal` is an initialiser of parameters and buffers\n\
             note: the initial value of state `h` is computed anew for every sequence\n\
             help: `param h_0: [H] = orthogonal;` (or `buffer`) and `state h: [H] = h_0;`",
        ];

    several_mistakes_at_once:
        "<I, H, K> input x: [I]; state h: [H]; param W: [H, I]; param b: [H]; param q: [H]; h = tahn(W @ \
         x + c) + h; output h, y;"
        => [
            "unknown function `tahn`\n\
             help: should this be `tanh`?",
            "unknown name `c`\n\
             help: declare it, or define it by an equation `c = ..;`",
            "there is no state or equation `y`\n\
             help: add an equation `y = ..;`",
            "a cycle within one step: `h -> h`\n\
             note: its value would have to be known before it is computed\n\
             help: for the previous value write `h[t-1]`",
            "dimension `K` is never used\n\
             help: remove it, or name it `_K` to keep it",
            "parameter `b` is never used\n\
             help: remove it, or name it `_b` to keep it",
            "parameter `q` is never used\n\
             help: remove it, or name it `_q` to keep it",
        ];

    unknown_initial_value:
        "<H> input x: [H]; state h: [H] = h0; h = tanh(x + h[t-1]); output h;"
        => [
            "unknown name `h0`\n\
             help: declare it: `param h0: [H];`",
        ];

    unknown_function_is_one_mistake_however_often_called:
        "<H> input x: [H]; y = frobnicate(x); z = frobnicate(y); output z;"
        => [
            "unknown function `frobnicate`\n\
             help: define it: `fn frobnicate(u) = ..;`",
        ];

    a_value_is_not_a_dimension_in_another_case:
        "<H> input x: [H]; y = x + h[t-1]; output y;"
        => [
            "unknown name `h`\n\
             help: declare it: `state h: [..];`",
        ];
}
