//! Tests of wrong definitions: duplicate, shadowing, recursive or missing ones.

use super::mistakes;

mistakes! {
    state_without_equation:
        "<H> input x: [H]; state h, c: [H]; h = x + c[t-1]; output h;"
        => [
            "state `c` is never given a value\n\
             note: every state needs one equation, which gives its value at the end of a step\n\
             help: add an equation `c = ..;`",
        ];

    state_with_two_equations:
        "<H> input x: [H]; state h: [H]; h = x + h[t-1]; h = x; output h;"
        => [
            "`h` is given a value twice\n\
             note: the first equation is `h = x + h[t-1]`\n\
             help: within a step every name has one value: give the second a name of its own",
        ];

    equation_twice:
        "<H> input x: [H]; f = tanh(x); f = x; output f;"
        => [
            "`f` is given a value twice\n\
             note: the first equation is `f = tanh(x)`\n\
             help: within a step every name has one value: give the second a name of its own",
        ];

    name_twice_in_a_split:
        "<H> input x: [2*H]; [f, f] = x; output f;"
        => [
            "`f` is given a value twice\n\
             note: the first equation is `[f, f] = x`\n\
             help: within a step every name has one value: give the second a name of its own",
        ];

    declaration_twice:
        "<H> input x: [H]; param x: [H, H]; y = tanh(x); output y;"
        => [
            "`x` is declared twice\n\
             note: the first declaration is `input x: [H]`\n\
             help: rename one of them, or remove it",
        ];

    dimension_twice:
        "<H, H> input x: [H]; y = tanh(x); output y;"
        => [
            "dimension `H` is declared twice\n\
             help: remove one of them, or rename it",
        ];

    value_shadows_a_dimension:
        "<H> input x: [H]; H = tanh(x); output H;"
        => [
            "`H` is a dimension of the cell\n\
             note: dimensions and values share one namespace\n\
             help: choose another name for the value",
        ];

    declaration_shadows_a_dimension:
        "<H> input H: [H]; y = 1 + H; output y;"
        => [
            "`H` is a dimension of the cell\n\
             note: dimensions and values share one namespace\n\
             help: choose another name for the value",
        ];

    input_is_given_a_value:
        "<H> input x: [H]; y = tanh(x); x = y; output y;"
        => [
            "`x` is an input and can't be given a value\n\
             note: it is declared as `input x: [H]`\n\
             help: choose another name, or declare `state x: [H];` if it is carried from step to step",
        ];

    parameter_is_given_a_value:
        "<H> input x: [H]; param b: [H]; b = x; output b;"
        => [
            "`b` is a parameter and can't be given a value\n\
             note: it is declared as `param b: [H]`\n\
             help: choose another name, or declare `state b: [H];` if it is carried from step to step",
        ];

    function_twice:
        "<H> input x: [H]; fn f(u) = u * u; fn f(u) = u; y = f(x); output y;"
        => [
            "function `f` is defined twice\n\
             help: rename one of them, or remove it",
        ];

    function_shadows_a_built_in_one:
        "<H> input x: [H]; fn tanh(u) = u; y = tanh(x); output y;"
        => [
            "`tanh` is a built-in function\n\
             help: choose another name",
        ];

    unknown_dimension:
        "<H> input x: [K]; param W: [H, K]; y = W @ x; output y;"
        => [
            "unknown dimension `K`\n\
             help: declare it: `cell Test<H, K>`",
        ];

    unknown_dimension_near:
        "<Hidden> input x: [Hiden]; buffer b: [Hidden] = 1; y = x + b; output y;"
        => [
            "unknown dimension `Hiden`\n\
             help: should this be `Hidden`?",
        ];

    unknown_dimension_letter_case:
        "<H> input x: [h]; y = tanh(x); output y;"
        => [
            "unknown dimension `h`\n\
             help: should this be `H`?",
        ];

    value_as_dimension:
        "<H> input x: [H]; param W: [H, x]; y = W @ x; output y;"
        => [
            "`x` is an input, not a dimension\n\
             help: dimensions are declared with the cell: `cell Test<..>`",
        ];

    recursive_function:
        "<H> input x: [H]; fn f(u) = u * f(u - 1); y = f(x); output y;"
        => [
            "function `f` calls itself: `f -> f`\n\
             note: a function is inlined where it is called\n\
             help: a value carried from step to step is a state, read at `[t-1]`",
        ];

    recursive_functions:
        "<H> input x: [H]; fn f(u) = g(u) + 1; fn g(u) = f(u) * 2; y = f(x); output y;"
        => [
            "function `f` calls itself: `f -> g -> f`\n\
             note: a function is inlined where it is called\n\
             help: a value carried from step to step is a state, read at `[t-1]`",
        ];

    function_reads_a_value:
        "<H> input x: [H]; param k: [H]; fn f(u) = u * k; y = f(x) + k; output y;"
        => [
            "`fn f` can't read `k`, which is a parameter\n\
             note: a function reads only its arguments, numbers and dimensions\n\
             help: make it an argument of `f`",
        ];

    function_reads_an_unknown_name:
        "<H> input x: [H]; fn f(u) = u * w; y = f(x); output y;"
        => [
            "unknown name `w`\n\
             note: `fn f` reads only its arguments, numbers and dimensions\n\
             help: make it an argument of `f`",
        ];

    function_reads_a_step:
        "<H> input x: [H]; fn f(u) = u * u[t-1]; y = f(x); output y;"
        => [
            "`u` is an argument and has no time index\n\
             help: write `u`; the step is chosen where the function is called",
        ];

    function_with_a_matrix_product:
        "<H> input x: [H]; fn f(u) = u @ u; y = f(x); output y;"
        => [
            "`@` is not element-wise\n\
             note: `fn f` is applied to each entry of its arguments by itself\n\
             help: write it in an equation",
        ];

    function_with_a_transpose:
        "<H> input x: [H]; fn f(u) = u.T; y = f(x); output y;"
        => [
            "`.T` is not element-wise\n\
             note: `fn f` is applied to each entry of its arguments by itself\n\
             help: write it in an equation",
        ];

    function_with_a_stack:
        "<H> input x: [H]; fn f(u) = [u, u]; y = f(x); output y;"
        => [
            "a stack is not element-wise\n\
             note: `fn f` is applied to each entry of its arguments by itself\n\
             help: write it in an equation",
        ];

    function_with_a_reduction:
        "<H> input x: [H]; fn f(u) = u / sum(u); y = f(x); output y;"
        => [
            "`sum` is not element-wise\n\
             note: `fn f` is applied to each entry of its arguments by itself\n\
             help: write it in an equation",
        ];

    function_without_arguments:
        "<H> input x: [H]; fn f() = 3; y = x * f(); output y;"
        => [
            "`f` has no arguments\n\
             help: a value without arguments is an equation or a `buffer`",
        ];

    argument_twice:
        "<H> input x: [H]; fn f(u, u) = u * 2; y = f(x, x); output y;"
        => [
            "argument `u` is declared twice\n\
             help: choose another name for one of them",
        ];

    argument_shadows_a_dimension:
        "<H> input x: [H]; fn f(H) = H * 2; y = f(x); output y;"
        => [
            "`H` is a dimension of the cell\n\
             help: choose another name for the argument",
        ];

    state_whose_equation_has_the_papers_name:
        "<H> input x: [H]; state h: [H]; h_t = tanh(x + h_prev); output h;"
        => [
            "state `h` is never given a value\n\
             note: every state needs one equation, which gives its value at the end of a step\n\
             help: should the equation `h_t = ..` be `h = ..`?",
            "unknown name `h_prev`\n\
             help: for the previous value write `h[t-1]`",
        ];

    state_whose_equation_is_misspelt:
        "<H> input x: [H]; state hidden: [H]; hiden = tanh(x + hidden[t-1]); output hidden;"
        => [
            "state `hidden` is never given a value\n\
             note: every state needs one equation, which gives its value at the end of a step\n\
             help: should the equation `hiden = ..` be `hidden = ..`?",
        ];
}
