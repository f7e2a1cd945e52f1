#!/usr/bin/env python3
"""PyTorch, JAX and ONNX Runtime as competitors in the tables of `steps`, `training` and `looking_back`.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install torch jax onnx onnxruntime
    cargo run --release -p benches --bin report -- --python /tmp/peers/bin/python

Each line is a request: `step KIND I H LIBRARY`, `run BATCH KIND I H LIBRARY` or `training BATCH KIND I
H LIBRARY`, where KIND is LSTM, GRU, peephole, block-diagonal or convolution. The program runs a
slice of that work and answers with the nanoseconds per repetition, or `none` if it does not support
the work or the library is not installed. The request `clear` drops all work that it has built. Time
is the CPU time of the process, with one thread per library. PyTorch and JAX use AVX-512 if
available; `PEERS_ISA=avx2` in the environment limits them to AVX2 (but not ONNX Runtime).

LSTM, GRU and convolution in PyTorch are `nn.LSTM`, `nn.GRU` and `nn.Conv1d`. The cells with peepholes
and with heads are loops over steps, like any cell without its own class. JAX uses `lax.scan` under
`jit`, with gradients by `value_and_grad`, and `lax.conv_general_dilated` for the convolution.
"""

import os
import sys
import time

# The variables must be set before the imports.
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"
if os.environ.get("PEERS_ISA") == "avx2":
    os.environ["XLA_FLAGS"] += " --xla_cpu_max_isa=AVX2"
    os.environ |= {"MKL_ENABLE_INSTRUCTIONS": "AVX2", "ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}

STEPS = 100
SEQUENCE = 1000
HEADS = 4
WIDTH = 3
SLICE = 0.001


def optional(name):
    """Returns the module, or None."""
    try:
        return __import__(name)
    except ImportError:
        print(f"{name} is not installed: left out", file=sys.stderr)
        return None


torch, jax, onnx, onnxruntime = map(optional, ("torch", "jax", "onnx", "onnxruntime"))
if torch:
    torch.set_num_threads(1)
if jax:
    import jax.numpy as jnp


# --- PyTorch --------------------------------------------------------------------------------------------------------


def torch_step(kind, i, h):
    if kind == "convolution":
        return torch_convolution_step(i, h)
    cell = {"LSTM": torch.nn.LSTMCell, "GRU": torch.nn.GRUCell}[kind](i, h)
    x, state = torch.full((1, i), 0.5), None

    def work():
        nonlocal state
        with torch.inference_mode():
            state = cell(x, state)

    return work


def torch_convolution_step(i, o):
    layer = torch.nn.Conv1d(i, o, WIDTH)
    x, window = torch.full((1, i, 1), 0.5), torch.zeros(1, i, WIDTH)

    def work():
        nonlocal window
        with torch.inference_mode():
            window = torch.cat([window[:, :, 1:], x], 2)
            layer(window)

    return work


def torch_layer(kind, i, h, batch):
    """Returns the layer, whose results begin with the outputs, and inputs in its layout."""
    if kind == "convolution":
        return TorchConvolution(i, h), torch.rand(batch, i, STEPS)
    own = {"peephole": TorchPeephole, "block-diagonal": TorchBlockDiagonal}
    return own.get(kind, getattr(torch.nn, kind, None))(i, h), torch.rand(STEPS, batch, i)


def torch_run(kind, i, h, batch):
    layer, x = torch_layer(kind, i, h, batch)

    def work():
        with torch.inference_mode():
            layer(x)

    return work


def torch_train(kind, i, h, batch):
    layer, x = torch_layer(kind, i, h, batch)
    x.requires_grad_()
    dy = torch.full_like(layer(x)[0].detach(), 0.01)

    def work():
        layer.zero_grad(set_to_none=True)
        x.grad = None
        ys = layer(x)[0]
        ys.backward(dy)

    return work


if torch:

    class TorchPeephole(torch.nn.Module):
        """The LSTM with peepholes, as a loop over steps."""

        def __init__(self, i, h):
            super().__init__()
            self.w = torch.nn.Linear(i, 4 * h)
            self.u = torch.nn.Linear(h, 4 * h, bias=False)
            self.p = torch.nn.Parameter(torch.rand(3, h) / h**0.5)
            self.size = h

        def forward(self, xs):
            h = c = xs.new_zeros(xs.shape[1], self.size)
            projected, ys = self.w(xs), []
            for z in projected.unbind(0):
                i, f, g, o = (z + self.u(h)).chunk(4, 1)
                i, f = torch.sigmoid(i + self.p[0] * c), torch.sigmoid(f + self.p[1] * c)
                c = f * c + i * torch.tanh(g)
                h = torch.sigmoid(o + self.p[2] * c) * torch.tanh(c)
                ys.append(h)
            return torch.stack(ys), h

    class TorchBlockDiagonal(torch.nn.Module):
        """The LSTM with heads, as a loop over steps. The heads are the batch of its products."""

        def __init__(self, i, h):
            super().__init__()
            self.size = h // HEADS
            self.w = torch.nn.Linear(i, 4 * h)
            self.u = torch.nn.Parameter(torch.rand(HEADS, self.size, 4 * self.size) / self.size**0.5)

        def forward(self, xs):
            h = c = xs.new_zeros(HEADS, xs.shape[1], self.size)
            projected = self.w(xs).unflatten(2, (HEADS, 4 * self.size)).transpose(1, 2).contiguous()
            ys = []
            for z in projected.unbind(0):
                i, f, g, o = torch.baddbmm(z, h, self.u).chunk(4, 2)
                c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
                h = torch.sigmoid(o) * torch.tanh(c)
                ys.append(h)
            return torch.stack(ys), h

    class TorchConvolution(torch.nn.Conv1d):
        """The causal convolution: before the start, the input is zero."""

        def __init__(self, i, o):
            super().__init__(i, o, WIDTH)

        def forward(self, xs):
            return (super().forward(torch.nn.functional.pad(xs, (WIDTH - 1, 0))),)


# --- JAX ------------------------------------------------------------------------------------------------------------


def jax_parameters(kind, i, h):
    gates = 3 if kind == "GRU" else 4
    keys = jax.random.split(jax.random.PRNGKey(0), 3)
    normal = lambda key, shape: jax.random.normal(key, shape) / h**0.5
    return {
        "w": normal(keys[0], (i, gates * h)),
        "u": normal(keys[1], (h, gates * h)),
        "b": jnp.zeros(gates * h),
        "b_hn": jnp.zeros(h),
        "p": normal(keys[2], (3, h)),
    }


def jax_cell(kind):
    sigmoid, tanh = jax.nn.sigmoid, jnp.tanh

    def gru(p, h, z):
        r, u, n = jnp.split(z, 3, -1)
        recurrent_r, recurrent_u, recurrent_n = jnp.split(h @ p["u"], 3, -1)
        r, u = sigmoid(r + recurrent_r), sigmoid(u + recurrent_u)
        n = tanh(n + r * (recurrent_n + p["b_hn"]))
        h = (1 - u) * n + u * h
        return h, h

    def lstm(p, state, z):
        h, c = state
        peephole = p["p"] if kind == "peephole" else (0, 0, 0)
        i, f, g, o = jnp.split(z + h @ p["u"], 4, -1)
        i, f = sigmoid(i + peephole[0] * c), sigmoid(f + peephole[1] * c)
        c = f * c + i * tanh(g)
        h = sigmoid(o + peephole[2] * c) * tanh(c)
        return (h, c), h

    return gru if kind == "GRU" else lstm


def jax_block_diagonal(p, xs):
    """Computes the outputs of the LSTM with heads."""
    sigmoid, tanh = jax.nn.sigmoid, jnp.tanh

    def step(state, z):
        h, c = state
        i, f, g, o = jnp.split(z + jnp.einsum("kbd,kde->kbe", h, p["u"]), 4, -1)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(c)
        return (h, c), h

    zero = jnp.zeros((HEADS, xs.shape[1], p["u"].shape[1]))
    projected = jnp.einsum("tbi,kie->tkbe", xs, p["w"]) + p["b"][:, None]
    return jax.lax.scan(step, (zero, zero), projected)[1]


def jax_convolution(p, xs):
    """Computes the outputs of the causal convolution."""
    return jax.lax.conv_general_dilated(xs, p["k"], (1,), [(WIDTH - 1, 0)]) + p["b"][:, None]


def jax_layer(kind, i, h, batch):
    """Returns a function of parameters and inputs to outputs, its parameters and its inputs."""
    key = jax.random.PRNGKey(1)
    normal = lambda *shape: jax.random.normal(key, shape) / h**0.5
    xs = jax.random.uniform(key, (STEPS, batch, i))
    if kind == "convolution":
        p = {"k": normal(h, i, WIDTH), "b": jnp.zeros(h)}
        return jax_convolution, p, xs.transpose(1, 2, 0)
    if kind == "block-diagonal":
        d = h // HEADS
        p = {"w": normal(HEADS, i, 4 * d), "u": normal(HEADS, d, 4 * d), "b": jnp.zeros((HEADS, 4 * d))}
        return jax_block_diagonal, p, xs
    cell, zero = jax_cell(kind), jnp.zeros((batch, h))
    start = zero if kind == "GRU" else (zero, zero)

    def outputs(p, xs):
        return jax.lax.scan(lambda state, z: cell(p, state, z), start, xs @ p["w"] + p["b"])[1]

    return outputs, jax_parameters(kind, i, h), xs


def jax_run(kind, i, h, batch):
    outputs, p, xs = jax_layer(kind, i, h, batch)
    outputs = jax.jit(outputs)
    return lambda: jax.block_until_ready(outputs(p, xs))


def jax_train(kind, i, h, batch):
    outputs, p, xs = jax_layer(kind, i, h, batch)
    loss = lambda p, xs: 0.01 * outputs(p, xs).sum()
    gradient = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))
    return lambda: jax.block_until_ready(gradient(p, xs))


# --- ONNX Runtime ---------------------------------------------------------------------------------------------------


def onnx_run(kind, i, h, steps):
    """Returns a call over `steps` steps, with bound buffers and the final state as the next initial state."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    gates, states = (4, ["h", "c"]) if kind == "LSTM" else (3, ["h"])
    rng = np.random.default_rng(0)
    arrays = {
        "W": rng.standard_normal((1, gates * h, i)) / h**0.5,
        "R": rng.standard_normal((1, gates * h, h)) / h**0.5,
        "B": np.zeros((1, 2 * gates * h)),
    }
    info = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    options = {} if kind == "LSTM" else {"linear_before_reset": 1}
    node = helper.make_node(
        kind, ["X", "W", "R", "B", ""] + states, ["Y"] + [f"{s}_next" for s in states], hidden_size=h, **options
    )
    graph = helper.make_graph(
        [node],
        "cell",
        [info("X", [steps, 1, i])] + [info(s, [1, 1, h]) for s in states],
        [info("Y", [steps, 1, 1, h])] + [info(f"{s}_next", [1, 1, h]) for s in states],
        [numpy_helper.from_array(array.astype(np.float32), name) for name, array in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    session_options = onnxruntime.SessionOptions()
    session_options.intra_op_num_threads = session_options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), session_options)
    value = lambda shape, fill: onnxruntime.OrtValue.ortvalue_from_numpy(np.full(shape, fill, np.float32))
    binding = session.io_binding()
    binding.bind_ortvalue_input("X", value((steps, 1, i), 0.5))
    binding.bind_ortvalue_output("Y", value((steps, 1, 1, h), 0))
    for state in states:
        kept = value((1, 1, h), 0)
        binding.bind_ortvalue_input(state, kept)
        binding.bind_ortvalue_output(f"{state}_next", kept)
    return lambda: session.run_with_iobinding(binding)


# --- the server -----------------------------------------------------------------------------------------------------


def build(task, batch, kind, i, h, library):
    """Returns the work of a request, or None."""
    has_class = kind in ("LSTM", "GRU", "convolution")
    if library == "PyTorch" and torch:
        if task == "step":
            return torch_step(kind, i, h) if has_class else None
        return (torch_run if task == "run" else torch_train)(kind, i, h, batch)
    if library == "JAX" and jax and task != "step":
        return (jax_run if task == "run" else jax_train)(kind, i, h, batch)
    if library.startswith("ONNX-Runtime") and onnx and onnxruntime and task == "step" and kind in ("LSTM", "GRU"):
        return onnx_run(kind, i, h, SEQUENCE if library.endswith("1000") else 1)
    return None


class Repeated:
    """A piece of work and the number of repetitions that fill a slice."""

    def __init__(self, work):
        self.work, self.goes = work, 1
        work()
        while (seconds := self.time()) < SLICE:
            self.goes = int(self.goes * min(64, 1.1 * SLICE / max(seconds, 1e-9))) + 1

    def time(self):
        start = time.process_time()
        for _ in range(self.goes):
            self.work()
        return time.process_time() - start

    def turn(self):
        """Returns the nanoseconds per repetition."""
        if self.goes > 1:
            self.work()
        return 1e9 * self.time() / self.goes


def main():
    built = {}
    for line in sys.stdin:
        request = line.strip()
        if request == "clear":
            built.clear()
            print("cleared", flush=True)
            continue
        if request not in built:
            task, *words = request.split()
            batch = 1 if task == "step" else int(words.pop(0))
            kind, i, h, library = words
            work = build(task, batch, kind, int(i), int(h), library)
            built[request] = work and Repeated(work)
        print(built[request].turn() if built[request] else "none", flush=True)


if __name__ == "__main__":
    main()
