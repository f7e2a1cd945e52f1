"""Writes the golden cases of cells whose reference is a package of PyPI.

    pip install torch einops scipy numpy transformers
    pip download --no-deps -d wheels lru-pytorch ncps recurrentgemma reservoirpy s5-pytorch \
        fla-core xlstm rwkv transformers  # and unpack each into a directory of its own name
    python packages.py SOURCES cases             # or only some: SOURCES cases conformer

SOURCES is the directory of the unpacked packages. Single files are loaded from them, because the
packages as a whole need GPU libraries. Files that convert to float32 run in float64: `float` and
`float32` are redefined before they are loaded.

The recurrence of each cell is the package's; the projections around it are written here where the
package's layer has more than the cell (heads, convolutions).
"""

import ast
import contextlib
import functools
import glob
import importlib.util
import json
import sys
import types
import typing
from importlib.metadata import version

import numpy as np
import scipy.signal
import torch
import torch.nn.functional as F
from torch.func import functional_call

SOURCES, OUT = sys.argv[1:3]
torch.set_default_dtype(torch.float64)
torch.float32, torch.complex64 = torch.float64, torch.complex128
torch.Tensor.float = torch.Tensor.double
T = 7


def load(pattern, name=None):
    """Loads one file of a package as a module."""
    (path,) = glob.glob(f"{SOURCES}/{pattern}", recursive=True)
    name = name or path.replace("/", "_").replace(".py", "")
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def each(step, *args):
    """Calls a function of one sample for every sample."""
    results = [step(*sample) for sample in zip(*args)]
    return tuple(torch.stack(parts) for parts in zip(*results))


def recurrence(step):
    """Turns a function of one step into a function of a sequence."""

    def run(p, xs, initial):
        state, outputs, per_step = dict(initial), [], []
        for t in range(T):
            y, state = step(p, {key: x[t] for key, x in xs.items()}, state)
            outputs.append(y)
            per_step.append(state)
        return outputs, per_step

    return run


def layer(forward):
    """Turns a function of whole sequences [B, T, n] into one of a sequence without states."""

    def run(p, xs, _):
        y = forward(p, *(x.transpose(0, 1) for x in xs.values())).transpose(0, 1)
        return [{"y": y[t]} for t in range(T)], [{}] * T

    return run


def write(name, equations, package, inputs, params, states, step, buffers={}, draw={}, run=recurrence):
    """Writes a case at batch 1 and 4.

    `params`, `buffers`, `inputs` and `states` map names to shapes. A step may return
    more states, which are missing from the first state and are not written. Matrix states are written by
    columns, as the library stores them. `draw` maps names to functions that make the values. `run`
    says what `step` computes: one step, or with `layer` the whole sequence.
    """
    for batch in [1, 4]:
        torch.manual_seed(sum(map(ord, name)) + batch)

        def tensor(key, shape):
            value = draw[key](shape) if key in draw else 0.5 * torch.randn(shape)
            return value.detach().requires_grad_()

        p = {key: tensor(key, shape) for key, shape in params.items()}
        fixed = {key: tensor(key, shape).detach() for key, shape in buffers.items()}
        xs = {key: tensor(key, [T, batch, *shape]) for key, shape in inputs.items()}
        initial = {key: tensor(key, [batch, *shape]) for key, shape in states.items()}
        outputs, per_step = run(step)({**p, **fixed}, xs, initial)
        state = per_step[-1]
        outputs = {key: torch.stack([y[key] for y in outputs]) for key in outputs[0]}
        per_step = {key: torch.stack([s[key] for s in per_step]) for key in states}
        d_outputs = {key: torch.randn(y.shape) for key, y in outputs.items()}
        d_final = {key: torch.randn(s.shape) for key, s in initial.items()}
        loss = sum((d_outputs[key] * outputs[key]).sum() for key in outputs)
        loss = loss + sum((d_final[key] * state[key]).sum() for key in states)
        everything = {**p, **xs, **initial}
        # A parameter may not be in the graph of the loss.
        found = torch.autograd.grad(loss, list(everything.values()), allow_unused=True)
        gradients = {
            key: torch.zeros_like(value) if g is None else g
            for (key, value), g in zip(everything.items(), found)
        }

        def array(value):
            value = value.detach()
            value = value.reshape([*value.shape] or [1])
            return {"shape": list(value.shape), "data": value.tolist()}

        def columns(value):
            return array(value.transpose(-1, -2)) if value.dim() - lead > 1 else array(value)

        def group(values, write=array):
            return {key: write(value) for key, value in values.items()}

        lead = 1
        case = {
            "case": name,
            "equations": equations,
            "package": package,
            "dims": {"T": T, "B": batch},
            "params": group(p),
            "buffers": group(fixed),
            "inputs": group(xs),
            "initial_states": group(initial, columns),
            "cotangents": {"outputs": group(d_outputs), "final_states": group(d_final, columns)},
            "outputs": group(outputs),
            "loss_value": loss.item(),
            "grads": {
                "params": group({key: gradients[key] for key in p}),
                "inputs": group({key: gradients[key] for key in xs}),
                "initial_states": group({key: gradients[key] for key in states}, columns),
            },
        }
        lead = 2
        case["states_per_step"] = group(per_step, columns)
        with open(f"{OUT}/{name}_b{batch}.json", "w") as file:
            json.dump(case, file)
        print(name, batch, loss.item())


def positive(shape):
    return 0.5 + torch.rand(shape)


def small(shape):
    return -1.5 + 0.5 * torch.randn(shape)


def lru():
    module = load("lru_pytorch/**/LRU.py")
    D, N = 3, 5

    def step(p, x, s):
        def run(u, re, im):
            def read(C, skip):
                unit = module.LRU(D, D, N)
                unit._parameters.clear()
                unit.nu_log, unit.theta_log, unit.gamma_log = p["nu_log"], p["theta_log"], p["gamma_log"]
                unit.B, unit.C, unit.D = torch.complex(p["B_re"], p["B_im"]), C, skip
                unit.out_features = C.shape[0]
                return unit(u[None], torch.complex(re, im))[0]

            eye, none = torch.eye(N), torch.zeros(N, D)
            y = read(torch.complex(p["C_re"], p["C_im"]), torch.diag(p["skip"]))
            return y, read(eye + 0j, none), read(-1j * eye, none)

        y, re, im = each(run, x["u"], s["x_re"], s["x_im"])
        return {"y": y}, {"x_re": re, "x_im": im}

    shapes = dict(nu_log=[N], theta_log=[N], gamma_log=[N], B_re=[N, D], B_im=[N, D])
    shapes |= dict(C_re=[D, N], C_im=[D, N], skip=[D])
    write("lru", "LRU.forward", "lru-pytorch 0.1.3", dict(u=[D]), shapes, dict(x_re=[N], x_im=[N]), step)


def cfc():
    module = load("ncps/ncps/torch/cfc_cell.py")
    I, H, U = 3, 5, 4
    cell = module.CfCCell(I, H, backbone_units=U)

    def step(p, x, s):
        names = {
            "backbone.0.weight": torch.cat([p["W_x"], p["W_h"]], 1),
            "backbone.0.bias": p["b"],
            "ff1.weight": p["W_short"],
            "ff1.bias": p["b_short"],
            "ff2.weight": p["W_long"],
            "ff2.bias": p["b_long"],
            "time_a.weight": p["W_rate"],
            "time_a.bias": p["b_rate"],
            "time_b.weight": p["W_offset"],
            "time_b.bias": p["b_offset"],
        }
        h, _ = functional_call(cell, names, (x["x"], s["h"], x["elapsed"]))
        return {"h": h}, {"h": h}

    shapes = dict(W_x=[U, I], W_h=[U, H], b=[U])
    for gate in ["short", "long", "rate", "offset"]:
        shapes |= {f"W_{gate}": [H, U], f"b_{gate}": [H]}
    write("cfc", "CfCCell.forward", "ncps 1.0.1", dict(x=[I], elapsed=[1]), shapes, dict(h=[H]), step,
          draw=dict(elapsed=positive))


def rg_lru():
    typing = types.ModuleType("recurrentgemma.torch.array_typing")
    typing.typed = lambda f: f
    typing.__getattr__ = lambda name: object
    package = types.ModuleType("recurrentgemma.torch")
    package.array_typing = typing
    sys.modules |= {"recurrentgemma": types.ModuleType("recurrentgemma"), "recurrentgemma.torch": package,
                    "recurrentgemma.torch.array_typing": typing}
    D = 5
    unit = load("recurrentgemma/recurrentgemma/torch/layers.py").RGLRU(D, 1)

    def step(p, x, s):
        names = {
            "a_param": p["decay"],
            "input_gate.w": p["W_x"].T[None],
            "input_gate.b": p["b_x"][None],
            "a_gate.w": p["W_a"].T[None],
            "a_gate.b": p["b_a"][None],
        }
        position = torch.ones(x["x"].shape[0], 1, dtype=torch.int64)
        y, h = functional_call(unit, names, (x["x"][:, None], position, s["h"]))
        return {"h": y[:, 0]}, {"h": h}

    shapes = dict(W_a=[D, D], W_x=[D, D], b_a=[D], b_x=[D], decay=[D])
    write("rg_lru", "RGLRU.forward", "recurrentgemma 1.0.1", dict(x=[D]), shapes, dict(h=[D]), step)


def echo_state():
    sys.path.insert(0, f"{SOURCES}/reservoirpy")
    from reservoirpy.nodes import Reservoir

    I, H, O = 3, 5, 2

    def step(p, x, s):
        node = types.SimpleNamespace(W=p["W"], Win=p["W_in"], bias=p["bias"], lr=p["leak"], activation=torch.tanh)
        (h,) = each(lambda u, h: (Reservoir._step(node, {"out": h}, u)["out"],), x["u"], s["x"])
        return {"y": F.linear(torch.cat([x["u"], h], 1), p["W_out"], p["b_out"])}, {"x": h}

    write("echo_state", "Reservoir._step, and a linear readout", "reservoirpy 0.4.2", dict(u=[I]),
          dict(W_out=[O, I + H], b_out=[O]), dict(x=[H]), step,
          buffers=dict(W_in=[H, I], W=[H, H], bias=[H], leak=[]), draw=dict(leak=lambda _: torch.tensor(0.3)))


def s5():
    sys.path.insert(0, glob.glob(f"{SOURCES}/s5_pytorch/s5-pytorch*")[0])
    from s5 import s5_model

    D, N = 3, 5

    def step(p, x, s):
        # Half of the modes are kept, so the outputs are twice the real part.
        B, C = torch.complex(p["B_re"], p["B_im"]), 2 * torch.complex(p["C_re"], p["C_im"])
        unit = types.SimpleNamespace(
            bidir=False, degree=1, liquid=False, get_BC_tilde=lambda: (B, C), log_step=p["log_dt"], D=p["skip"],
            Lambda=torch.complex(-torch.exp(p["log_rate"]), p["frequency"]), discretize=s5_model.discretize_zoh,
        )

        def run(u, re, im):
            y, state = s5_model.S5SSM.forward_rnn(unit, u, torch.complex(re, im))
            return y, state.real, state.imag

        y, re, im = each(run, x["u"], s["s_re"], s["s_im"])
        return {"y": y}, {"s_re": re, "s_im": im}

    shapes = dict(log_dt=[N], log_rate=[N], frequency=[N], B_re=[N, D], B_im=[N, D])
    shapes |= dict(C_re=[D, N], C_im=[D, N], skip=[D])
    write("s5", "S5SSM.forward_rnn", "s5-pytorch 0.2.1", dict(u=[D]), shapes, dict(s_re=[N], s_im=[N]), step)

    # The normal plus low-rank form of HiPPO-LegS: frequencies and input weights of half of the
    # modes, in increasing order. numpy computes them as eigenvalues and eigenvectors.
    from s5.init import make_DPLR_HiPPO

    found = {}
    for pairs in [1, 4, 32]:
        eigenvalues, low_rank, inputs, _, _ = make_DPLR_HiPPO(2 * pairs)
        order = [k for k in np.argsort(eigenvalues.imag) if eigenvalues[k].imag > 0]
        found[str(pairs)] = {
            "real": eigenvalues.real[order].tolist(),
            "frequency": eigenvalues.imag[order].tolist(),
            "input": np.abs(inputs[order]).tolist(),
            "low_rank": np.abs(low_rank[order]).tolist(),
        }
    json.dump({"package": "s5-pytorch 0.2.1, make_DPLR_HiPPO", "pairs": found}, open(f"{OUT}/hippo_legs.json", "w"))


def s4():
    D, N = 3, 4

    def step(p, x, s):
        # The dense bilinear rule with all modes, solved by LAPACK.
        def run(u, re, im):
            ys, states = [], []
            for d in range(D):
                half = lambda name: torch.complex(p[f"{name}_re"][d], p[f"{name}_im"][d])
                both = lambda v: torch.cat([v, v.conj()])
                L = both(torch.complex(-torch.exp(p["log_rate"][d]), p["frequency"][d]))
                P, B, C = both(half("P")), both(half("B")), both(half("C"))
                A = torch.diag(L) - torch.outer(P, P.conj())
                dt, eye = torch.exp(p["log_dt"][d]), torch.eye(2 * N)
                right = (eye + dt / 2 * A) @ both(torch.complex(re[d], im[d])) + dt * B * u[d]
                state = torch.linalg.solve(eye - dt / 2 * A, right)
                ys.append((C * state).sum().real + p["skip"][d] * u[d])
                states.append(state[:N])
            state = torch.stack(states)
            return torch.stack(ys), state.real, state.imag

        y, re, im = each(run, x["u"], s["s_re"], s["s_im"])
        return {"y": y}, {"s_re": re, "s_im": im}

    shapes = dict(log_dt=[D], log_rate=[D, N], frequency=[D, N], skip=[D])
    shapes |= {f"{name}_{part}": [D, N] for name in "PBC" for part in ["re", "im"]}
    write("s4", "the dense bilinear rule, by torch.linalg.solve", "torch", dict(u=[D]), shapes,
          dict(s_re=[D, N], s_im=[D, N]), step)


def lmu():
    # The matrices of keras-lmu (LMUCell._gen_AB), discretised by scipy.
    found = []
    for order, theta in [(1, 5.0), (6, 8.0), (32, 100.0), (64, 64.5)]:
        Q = np.arange(order, dtype=np.float64)
        R = (2 * Q + 1)[:, None]
        j, i = np.meshgrid(Q, Q)
        A = np.where(i < j, -1, (-1.0) ** (i - j + 1)) * R
        B = (-1.0) ** Q[:, None] * R
        C, D = np.ones((1, order)), np.zeros((1, 1))
        A, B, *_ = scipy.signal.cont2discrete((A / theta, B / theta, C, D), dt=1.0, method="zoh")
        # The sums of rows and of columns are enough for the larger matrices.
        entries = A.tolist() if order <= 6 else [A.sum(0).tolist(), A.sum(1).tolist(), np.diag(A).tolist()]
        found.append({"order": order, "theta": theta, "A": entries, "B": B[:, 0].tolist()})
    json.dump({"package": "scipy.signal.cont2discrete", "windows": found}, open(f"{OUT}/legendre.json", "w"))


def linear_attention():
    gla = load("fla_core/fla/ops/gla/naive.py").naive_recurrent_gla
    simple = load("fla_core/fla/ops/simple_gla/naive.py").naive_recurrent_simple_gla
    rms = lambda u, gain: u * torch.rsqrt(u.square().mean(-1, keepdim=True) + 1e-5) * gain
    M, D, V, K, R = 3, 4, 3, 2, 2

    def step(p, x, s):
        u = x["x"]
        project = lambda n: torch.einsum("kdm,bm->bkd", p[f"W_{n}"], u)[:, None]
        gate = F.logsigmoid(torch.einsum("kdr,br->bkd", p["W_up"], u @ p["W_down"].T) + p["b_a"]) / 16
        o, S = gla(project("q"), project("k"), project("v"), gate[:, None], s["S"], True)
        o = F.layer_norm(o[:, 0], [V], p["gain"], p["bias"]).flatten(1)
        return {"y": (F.silu(F.linear(u, p["W_r"], p["b_r"])) * o) @ p["W_o"].T}, {"S": S}

    shapes = {f"W_{n}": [K, D, M] for n in "qk"} | dict(W_v=[K, V, M], W_down=[R, M], W_up=[K, D, R], b_a=[K, D])
    shapes |= dict(W_r=[K * V, M], b_r=[K * V], gain=[V], bias=[V], W_o=[M, K * V])
    write("gated_linear_attention", "naive_recurrent_gla", "fla-core 0.6.0", dict(x=[M]), shapes,
          dict(S=[K, D, V]), step)

    M, P, N, K, G = 3, 4, 2, 4, 2

    def step(p, x, s):
        u = x["u"]
        dt = F.softplus(u @ p["w_dt"].T + p["b_dt"])
        v = torch.einsum("kpm,bm->bkp", p["W_x"], u)
        of_groups = lambda W: torch.einsum("gnm,bm->bgn", W, u).repeat_interleave(K // G, 1)[:, None]
        S = s["S"].transpose(-1, -2)
        o, S = simple(of_groups(p["W_C"]), of_groups(p["W_B"]), (dt[..., None] * v)[:, None],
                      (-torch.exp(p["log_rate"]) * dt)[:, None], 1.0, S, True)
        y = (o[:, 0] + p["skip"][:, None] * v).flatten(1) * F.silu(u @ p["W_z"].T)
        y = rms(y.reshape(-1, G, K * P // G), p["g"].reshape(G, -1)).flatten(1)
        return {"out": y @ p["W_out"].T}, {"S": S.transpose(-1, -2)}

    shapes = dict(W_B=[G, N, M], W_C=[G, N, M], W_x=[K, P, M], w_dt=[K, M], b_dt=[K], log_rate=[K], skip=[K])
    shapes |= dict(W_z=[K * P, M], g=[K * P], W_out=[M, K * P])
    write("ssd", "naive_recurrent_simple_gla", "fla-core 0.6.0", dict(u=[M]), shapes, dict(S=[K, P, N]), step)


def definitions(pattern, names, space):
    """Returns functions and classes of a file, without their decorators, in the namespace `space`."""
    (path,) = glob.glob(f"{SOURCES}/{pattern}", recursive=True)
    for node in ast.walk(ast.parse(open(path).read())):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name in names:
            for inner in ast.walk(node):
                if isinstance(inner, (ast.FunctionDef, ast.ClassDef)):
                    inner.decorator_list = []
            # exp(-0.5) has six digits in rwkv.
            source = ast.unparse(node).replace("-0.606531", "-np.exp(-0.5)")
            exec(source, space)
    return types.SimpleNamespace(**{name: space[name] for name in names})


def rwkv():
    # The norm before the layer and the residual connection around it are not part of the cells.
    functional = types.SimpleNamespace(layer_norm=lambda x, *_, **__: x, silu=F.silu, group_norm=F.group_norm)
    package = definitions(
        "rwkv/rwkv/model.py", ["att_seq_v5_2", "att_one_v6_0", "RWKV_x070_TMix_one"],
        dict(torch=torch, np=np, F=functional, matmul=lambda a, b, *_, output_dtype=None: a @ b),
    )
    M, D, K, R = 6, 3, 2, 2
    flat = lambda name, p: p[name].flatten()
    rows = lambda name, p: p[name].flatten(0, 1).T
    states = dict(x_prev=[M], S=[K, D, D])
    vectors = lambda names, shape: {name: shape for name in names}
    head = vectors(["bonus", "gain", "bias"], [K, D]) | dict(W_o=[M, K * D])

    def step(p, x, s):
        def one(u, prev, S):
            mix = [1 - p[f"mu_{n}"] for n in "kvrg"]
            weights = [rows(f"W_{n}", p) for n in "kvrg"] + [p["W_o"].T]
            y, prev, S = package.att_seq_v5_2(
                None, u[None], prev, S, None, None, flat("gain", p), flat("bias", p), *mix,
                torch.exp(-torch.exp(p["decay"]))[..., None], p["bonus"][..., None], *weights, *[None] * 20)
            return y[0] - u, prev, S

        y, prev, S = each(one, x["x"], s["x_prev"], s["S"])
        return {"y": y}, {"x_prev": prev, "S": S}

    shapes = head | dict(decay=[K, D])
    for n in "rkvg":
        shapes |= {f"mu_{n}": [M], f"W_{n}": [K, D, M]}
    write("rwkv5", "att_seq_v5_2", "rwkv 0.8.32", dict(x=[M]), shapes, states, step)

    def step(p, x, s):
        def one(u, prev, S):
            down = torch.cat([p[f"A_{n}"] for n in "dkvrg"]).T
            up = torch.stack([p[f"B_{n}"].T for n in "dkvrg"])
            weights = [rows(f"W_{n}", p) for n in "kvrg"] + [p["W_o"].T]
            y, prev, S = package.att_one_v6_0(
                None, u, prev, S, None, None, flat("gain", p), flat("bias", p), p["mu"],
                *[p[f"mu_{n}"] for n in "dkvrg"], down, up, p["A_w"].T, rows("B_w", p), p["decay"][..., None],
                p["bonus"][..., None], *weights, *[None] * 20)
            return y - u, prev, S

        y, prev, S = each(one, x["x"], s["x_prev"], s["S"])
        return {"y": y}, {"x_prev": prev, "S": S}

    shapes = head | dict(decay=[K, D], mu=[M], A_w=[R, M], B_w=[K, D, R])
    for n in "rkvgd":
        shapes |= {f"mu_{n}": [M], f"A_{n}": [R, M], f"B_{n}": [M, R]}
        shapes |= {} if n == "d" else {f"W_{n}": [K, D, M]}
    write("rwkv6", "att_one_v6_0", "rwkv 0.8.32", dict(x=[M]), shapes, states, step)

    def step(p, x, s):
        def one(u, prev, S):
            pair = lambda n: (p[f"A_{n}"].T, rows(f"B_{n}", p))
            y, prev, S, _ = package.RWKV_x070_TMix_one(
                0, K, D, u, prev, None, S, *[p[f"mu_{n}"] for n in "rdkvag"], flat("b_d", p), *pair("d"),
                flat("b_a", p), *pair("a"), None, None, None, *pair("g"), flat("xi", p), flat("alpha", p),
                flat("bonus", p), *[rows(f"W_{n}", p) for n in "rkv"], p["W_o"].T, flat("gain", p), flat("bias", p))
            return y[0] if y.dim() == 2 else y, prev, S

        y, prev, S = each(one, x["x"], s["x_prev"], s["S"])
        return {"y": y}, {"x_prev": prev, "S": S}

    shapes = head | vectors(["b_d", "b_a", "xi", "alpha"], [K, D])
    for n in "rdkvag":
        shapes |= {f"mu_{n}": [M]}
        shapes |= {f"W_{n}": [K, D, M]} if n in "rkv" else {f"A_{n}": [R, M], f"B_{n}": [K, D, R]}
    write("rwkv7", "RWKV_x070_TMix_one", "rwkv 0.8.32", dict(x=[M]), shapes, states, step)


def rwkv7_layers():
    no_grad = types.SimpleNamespace(**{**vars(torch), "no_grad": contextlib.nullcontext})
    package = definitions(
        "rwkv/rwkv/model.py", ["RWKV_x070_TMix_one", "RWKV_x070_CMix_one"],
        dict(torch=no_grad, np=np, F=F, List=typing.List),
    )
    M, D, K, R, U, N = 4, 3, 2, 2, 5, 3

    def shapes_of(layer):
        names = {name: [M] for name in ["gain_x", "bias_x", "gain_z", "bias_z", "mu_z"]}
        names |= {name: [K, D] for name in ["xi", "alpha", "bonus", "gain", "bias", "b_d", "b_a"]}
        names |= {f"mu_{n}": [M] for n in "rdkvag"} | {f"W_{n}": [K, D, M] for n in "rkv"}
        for n in "dag" if layer == 0 else "davg":
            names |= {f"A_{n}": [R, M], f"B_{n}": [K, D, R]}
        names |= {} if layer == 0 else {"b_v": [K, D]}
        return names | dict(W_o=[M, K * D], W_up=[U, M], W_down=[M, U])

    def package_names(p, layer):
        """Returns the parameters of a layer under the package's names."""
        rows = lambda name: p[name].flatten(0, 1).T
        names = {f"att.x_{of}": p[f"mu_{n}"] for n, of in zip("rdkvag", "rwkvag")}
        for n, of in zip("dag" if layer == 0 else "davg", "wag" if layer == 0 else "wavg"):
            names |= {f"att.{of}1": p[f"A_{n}"].T, f"att.{of}2": rows(f"B_{n}")}
            names |= {} if n == "g" else {f"att.{of}0": p[f"b_{n}"].flatten()}
        names |= dict.fromkeys(["att.v0", "att.v1", "att.v2"]) if layer == 0 else {}
        for n, of in dict(xi="k_k", alpha="k_a", bonus="r_k", gain="ln_x.weight", bias="ln_x.bias").items():
            names[f"att.{of}"] = p[n].flatten()
        for n, of in zip("rkv", ["receptance", "key", "value"]):
            names[f"att.{of}.weight"] = rows(f"W_{n}")
        names |= {"att.output.weight": p["W_o"].T, "ffn.x_k": p["mu_z"]}
        names |= {"ffn.key.weight": p["W_up"].T, "ffn.value.weight": p["W_down"].T}
        for norm, of in [("ln1", "x"), ("ln2", "z")]:
            names |= {f"{norm}.weight": p[f"gain_{of}"], f"{norm}.bias": p[f"bias_{of}"]}
        return {f"blocks.{layer}.{name}": value for name, value in names.items()}

    def step(p, x, s):
        mix = lambda u, prev: package.RWKV_x070_CMix_one(u, prev, p["mu"], p["W_up"].T, p["W_down"].T)
        y, prev = each(mix, x["x"], s["x_prev"])
        return {"y": y}, {"x_prev": prev}

    write("rwkv7_channel_mixing", "RWKV_x070_CMix_one", "rwkv 0.8.32", dict(x=[M]),
          dict(mu=[M], W_up=[U, M], W_down=[M, U]), dict(x_prev=[M]), step)

    def step(p, x, s):
        z = package_names(p, 1)
        of = lambda part: [value for name, value in z.items() if name.startswith(f"blocks.1.{part}.")]
        order = [f"x_{n}" for n in "rwkvag"] + [f"{n}{i}" for n in "wav" for i in range(3)]
        order += ["g1", "g2", "k_k", "k_a", "r_k"]
        order += [f"{n}.weight" for n in ["receptance", "key", "value", "output", "ln_x"]] + ["ln_x.bias"]

        def one(x, v_first, x_prev, z_prev, S):
            u = F.layer_norm(x, (M,), *of("ln1"))
            y, x_prev, S, v_first = package.RWKV_x070_TMix_one(
                1, K, D, u, x_prev, v_first, S, *[z[f"blocks.1.att.{name}"] for name in order])
            x = x + y.view(M)
            y, z_prev = package.RWKV_x070_CMix_one(F.layer_norm(x, (M,), *of("ln2")), z_prev, *of("ffn"))
            return x + y, v_first, x_prev, z_prev, S

        y, v_first, x_prev, z_prev, S = each(one, x["x"], x["v_first"], s["x_prev"], s["z_prev"], s["S"])
        return {"y": y, "v_first": v_first}, {"x_prev": x_prev, "z_prev": z_prev, "S": S}

    write("rwkv7_layer", "RWKV_x070_TMix_one, RWKV_x070_CMix_one", "rwkv 0.8.32", dict(x=[M], v_first=[K * D]),
          shapes_of(1), dict(x_prev=[M], z_prev=[M], S=[K, D, D]), step)

    # Three layers and a readout, by the package's loop over the layers. The first of the two
    # functions of this name is for another kind of layers.
    (path,) = glob.glob(f"{SOURCES}/rwkv/rwkv/model.py")
    (model,) = (node for node in ast.walk(ast.parse(open(path).read()))
                if isinstance(node, ast.ClassDef) and node.name == "RWKV_x070")
    loop = [node for node in ast.walk(model) if isinstance(node, ast.FunctionDef) and node.name == "forward_one"][1]
    loop.decorator_list = []
    exec(ast.unparse(loop), package.RWKV_x070_TMix_one.__globals__)
    forward_one = package.RWKV_x070_TMix_one.__globals__["forward_one"]

    def forward(p, x):
        z = {"ln_out.weight": p["3_gain"], "ln_out.bias": p["3_bias"], "head.weight": p["3_W"].T}
        for layer in range(3):
            z |= package_names({name[2:]: value for name, value in p.items() if name[0] == str(layer)}, layer)

        def sample(xs):
            state = [torch.zeros(shape) for _ in range(3) for shape in [(M,), (K, D, D), (M,)]]
            # The inputs of the layers replace the embeddings of the words.
            z["emb.weight"] = xs
            this = types.SimpleNamespace(z=z, n_layer=3, n_head=K, head_size=D, n_embd=M)
            return torch.stack([forward_one(this, t, state)[0] for t in range(T)])

        return torch.stack([sample(xs) for xs in x])

    shapes = {f"{layer}_{name}": shape for layer in range(3) for name, shape in shapes_of(layer).items()}
    shapes |= {"3_gain": [M], "3_bias": [M], "3_W": [N, M]}
    write("rwkv7_network", "RWKV_x070.forward_one", "rwkv 0.8.32", dict(x=[M]), shapes, {}, forward, run=layer)


class Slot:
    """The caches of one layer. Autograd does not allow the package to overwrite their values in place."""

    def __init__(self, conv, recurrent):
        self.conv, self.recurrent = conv, recurrent

    def get(self, name):
        copy = getattr(self, name).clone()
        copy.copy_ = lambda value: setattr(self, name, value)
        return copy

    def get_conv_state(self, *_, **__):
        return self.get("conv")

    def get_recurrent_state(self, *_, **__):
        return self.get("recurrent")

    def is_recording_past(self, _):
        return False

    def update_recurrent_state(self, value, _):
        self.recurrent = value


def gated_delta_net():
    M, D, V, K, G = 3, 4, 3, 2, 1
    module = definitions(
        "transformers/transformers/models/qwen3_next/modeling_qwen3_next.py",
        ["causal_conv1d_update", "l2norm", "torch_recurrent_gated_delta_rule", "Qwen3NextRMSNormGated",
         "Qwen3NextGatedDeltaNet"],
        dict(torch=torch, nn=torch.nn, F=F, ACT2FN={"silu": F.silu}, Qwen3NextConfig=object, Cache=object,
             Unpack=typing.Optional, TransformersKwargs=object, apply_mask_to_padding_states=lambda x, _: x),
    )
    network = module.Qwen3NextGatedDeltaNet(types.SimpleNamespace(
        hidden_size=M, linear_num_value_heads=K, linear_num_key_heads=G, linear_key_head_dim=D,
        linear_value_head_dim=V, linear_conv_kernel_dim=4, hidden_act="silu", rms_norm_eps=1e-5,
        layer_types=["linear_attention"]), 0)
    flat = lambda value: value.flatten(0, 1)

    def step(p, x, s):
        # The rows of the projections belong to the groups in turn.
        groups = lambda value: value.reshape(G, K // G * (value.shape[1] if value.dim() > 2 else 1), M)
        names = {
            "in_proj_qkvz.weight": flat(torch.cat([p["W_q"], p["W_k"], groups(p["W_v"]), groups(p["W_g"])], 1)),
            "in_proj_ba.weight": flat(torch.cat([groups(p["w_b"]), groups(p["w_a"])], 1)),
            "conv1d.weight": torch.cat([flat(p[f"c_{n}"]) for n in "qkv"])[:, None],
            "dt_bias": p["b_a"],
            "A_log": p["log_rate"],
            "norm.weight": p["gain"],
            "out_proj.weight": p["W_o"],
        }
        past = s.get("past", torch.zeros(x["x"].shape[0], 2 * G * D + K * V, 4))
        # The package keeps the transpose of the memory.
        cache = Slot(past, s["S"].transpose(-1, -2))
        y = functional_call(network, names, (x["x"][:, None],), dict(cache=cache))
        return {"y": y[:, 0]}, {"S": cache.recurrent.transpose(-1, -2), "past": cache.conv}

    shapes = {f"W_{n}": [G, D, M] for n in "qk"} | {f"c_{n}": [G, D, 4] for n in "qk"}
    shapes |= dict(W_v=[K, V, M], c_v=[K, V, 4], w_a=[K, M], w_b=[K, M], log_rate=[K], b_a=[K], W_g=[K, V, M])
    shapes |= dict(gain=[V], W_o=[M, K * V])
    write("gated_delta_net", "Qwen3NextGatedDeltaNet.forward", f"transformers {version('transformers')}",
          dict(x=[M]), shapes, dict(S=[K, V, D]), step)


def mamba2():
    M, P, N = 3, 4, 2
    file = "transformers/transformers/models/mamba2/modeling_mamba2.py"
    functions = ["causal_conv1d_update", "mamba2_split_conv1d_scan_combined", "mamba2_selective_state_update"]
    module = definitions(
        file, [*functions, "MambaRMSNormGated", "Mamba2Mixer"],
        dict(torch=torch, nn=torch.nn, F=F, ACT2FN={"silu": F.silu}, Mamba2Config=object, Cache=object,
             apply_mask_to_padding_states=lambda x, _: x),
    )
    flat = lambda value: value.flatten(0, 1)

    def case(name, K, G):
        mixer = module.Mamba2Mixer(types.SimpleNamespace(
            num_heads=K, hidden_size=M, state_size=N, conv_kernel=4, expand=K * P / M, time_step_rank=1,
            use_conv_bias=True, hidden_act="silu", layer_norm_epsilon=1e-5, n_groups=G, head_dim=P, chunk_size=4,
            time_step_limit=(0.0, float("inf")), time_step_min=0.0, time_step_max=float("inf"), time_step_floor=0.0,
            use_bias=False, layer_types=["mamba2"]), 0, initialize_mixer_weights=False).eval()

        def step(p, x, s):
            names = {
                "in_proj.weight": torch.cat([p["W_z"], flat(p["W_x"]), flat(p["W_B"]), flat(p["W_C"]), p["w_dt"]]),
                "conv1d.weight": torch.cat([flat(p["k_x"]), flat(p["k_B"]), flat(p["k_C"])])[:, None],
                "conv1d.bias": torch.cat([p["b_x"].flatten(), p["b_B"].flatten(), p["b_C"].flatten()]),
                "dt_bias": p["b_dt"],
                "A_log": p["log_rate"],
                "D": p["skip"],
                "norm.weight": p["g"],
                "out_proj.weight": p["W_out"],
            }
            past = s.get("past", torch.zeros(x["u"].shape[0], K * P + 2 * G * N, 4))
            cache = Slot(past, s["S"])
            y = functional_call(mixer, names, (x["u"][:, None],), dict(cache=cache))
            return {"out": y[:, 0]}, {"S": cache.recurrent, "past": cache.conv}

        shapes = {f"{kind}_{n}": [G, N, *size] for n in "BC" for kind, size in [("W", [M]), ("k", [4]), ("b", [])]}
        shapes |= dict(W_x=[K, P, M], k_x=[K, P, 4], b_x=[K, P], w_dt=[K, M], b_dt=[K], log_rate=[K], skip=[K])
        shapes |= dict(W_z=[K * P, M], g=[K * P], W_out=[M, K * P])
        write(name, "Mamba2Mixer.forward", f"transformers {version('transformers')}", dict(u=[M]), shapes,
              dict(S=[K, P, N]), step)

    case("mamba2", 2, 1)
    case("mamba2_groups", 4, 2)


def xlstm():
    scalar = load("xlstm/xlstm/blocks/slstm/src/vanilla/slstm.py").slstm_forward_pointwise
    matrix = load("xlstm/xlstm/blocks/mlstm/backends.py").recurrent_step_stabilized_simple
    I, H = 3, 4

    def step(p, x, s):
        gates = lambda name: torch.cat([p[f"{name}_{gate}"] for gate in "ifzo"])
        states = torch.stack([s[key] for key in "hcnm"])
        states, _ = scalar(x["x"] @ gates("W").T, s["h"] @ gates("R").T, gates("b")[None], states, {})
        return {"h": states[0]}, dict(zip("hcnm", states))

    shapes = {f"{kind}_{gate}": size for kind, size in [("W", [H, I]), ("R", [H, H]), ("b", [H])] for gate in "zifo"}
    write("slstm", "slstm_forward_pointwise", "xlstm 2.0.6", dict(x=[I]), shapes,
          dict(c=[H], n=[H], h=[H], m=[H]), step, draw=dict(n=positive))

    def step(p, x, s):
        u = x["x"]
        q, k, v = (F.linear(u, p[f"W_{n}"], p[f"b_{n}"])[:, None, None] for n in "qkv")
        i, f = ((u @ p[f"w_{n}"] + p[f"b_{n}"])[:, None, None, None] for n in "if")
        # The package scales the bias of the keys too, and keeps the transpose of the memory.
        k = k + (np.sqrt(H) - 1) * p["b_k"]
        h, (C, n, m) = matrix(s["C"].transpose(-1, -2)[:, None], s["n"][:, None, :, None], s["m"][:, None, :, None],
                              q, k, v, i, f, eps=0.0)
        o = torch.sigmoid(F.linear(u, p["W_o"], p["b_o"]))
        return {"h": o * h[:, 0, 0]}, {"C": C[:, 0].transpose(-1, -2), "n": n[:, 0, :, 0], "m": m[:, 0, :, 0]}

    shapes = {f"W_{n}": [H, I] for n in "qkvo"} | {f"b_{n}": [H] for n in "qkvo"}
    shapes |= dict(w_i=[I], w_f=[I], b_i=[], b_f=[])
    write("mlstm", "recurrent_step_stabilized_simple", "xlstm 2.0.6", dict(x=[I]), shapes,
          dict(C=[H, H], n=[H], m=[1]), step)


def xlstm_heads():
    I, D, K = 3, 4, 2
    package = load("xlstm/xlstm/blocks/slstm/src/vanilla/slstm.py")
    vanilla = types.ModuleType("vanilla")
    sys.modules |= {"vanilla": vanilla, "vanilla.slstm": package, "vanilla.lstm": package}
    (path,) = glob.glob(f"{SOURCES}/xlstm/xlstm/blocks/slstm/src/vanilla/__init__.py")
    vanilla.__path__, vanilla.__package__ = [], "vanilla"
    exec(compile(open(path).read(), path, "exec"), vanilla.__dict__)

    def step(p, x, s):
        # Gates, then heads, then units; the recurrent matrices of a head are below each other.
        inputs = torch.cat([torch.einsum("kdi,bi->bkd", p[f"W_{gate}"], x["x"]).flatten(1) for gate in "ifzo"], 1)
        biases = torch.cat([p[f"b_{gate}"].flatten() for gate in "ifzo"])
        recurrent = torch.cat([p[f"R_{gate}"] for gate in "ifzo"], 1)
        states = torch.stack([s[key] for key in "hcnm"])
        _, states, _ = vanilla.slstm_forward(inputs[None], states, recurrent, biases, package.slstm_forward_pointwise)
        return {"h": states[0]}, dict(zip("hcnm", states))

    shapes = {f"{kind}_{gate}": [K, D, *size] for kind, size in [("W", [I]), ("R", [D]), ("b", [])] for gate in "zifo"}
    write("slstm_heads", "slstm_forward", "xlstm 2.0.6", dict(x=[I]), shapes,
          dict(c=[K * D], n=[K * D], h=[K * D], m=[K * D]), step, draw=dict(n=positive))

    (path,) = glob.glob(f"{SOURCES}/transformers/transformers/models/xlstm/modeling_xlstm.py")
    name = "mlstm_recurrent_step_native"
    (source,) = (node for node in ast.walk(ast.parse(open(path).read()))
                 if isinstance(node, ast.FunctionDef) and node.name == name)
    space = {"torch": torch}
    exec(ast.unparse(source), space)

    def step(p, x, s):
        u = x["x"]
        project = lambda n: torch.einsum("kdi,bi->bkd", p[f"W_{n}"], u)
        gate = lambda n: (torch.einsum("ki,bi->bk", p[f"w_{n}"], u) + p[f"b_{n}"])[..., None]
        # The package scales the queries instead of the keys, and keeps the transpose of the memory.
        q, v = np.sqrt(D) * (project("q") + p["b_q"]), project("v") + p["b_v"]
        k = project("k") / np.sqrt(D) + p["b_k"]
        n, m = s["n"].reshape(-1, K, D), s["m"][..., None]
        h, (C, n, m) = space[name](q, k, v, gate("i"), gate("f"), s["C"].transpose(-1, -2), n, m, eps=0.0)
        o = torch.sigmoid(F.linear(u, p["W_o"], p["b_o"]))
        return {"h": o * h.flatten(1)}, {"C": C.transpose(-1, -2), "n": n.flatten(1), "m": m[..., 0]}

    shapes = {f"W_{n}": [K, D, I] for n in "qkv"} | {f"b_{n}": [K, D] for n in "qkv"}
    shapes |= dict(w_i=[K, I], w_f=[K, I], b_i=[K], b_f=[K], W_o=[K * D, I], b_o=[K * D])
    write("mlstm_heads", name, "transformers 5.24.0", dict(x=[I]), shapes,
          dict(C=[K, D, D], n=[K * D], m=[K]), step)


def xlstm_blocks():
    # These two modules load GPU kernels.
    root, cuda = types.ModuleType("xlstm"), types.ModuleType("cuda_init")
    root.__path__, cuda.load = [f"{SOURCES}/xlstm/xlstm"], None
    sys.modules |= {"xlstm": root, "xlstm.blocks.slstm.src.cuda_init": cuda}
    blocks = importlib.import_module("xlstm.blocks.xlstm_block")
    blocks.xLSTMBlock.forward = blocks.xLSTMBlock.step
    flat = lambda value: value.flatten(0, 1)
    M, D, K, N = 3, 4, 2, 2

    config = blocks.mLSTMLayerConfig(embedding_dim=M, num_heads=K, qkv_proj_blocksize=N, proj_factor=K * D / M,
                                     round_proj_up_to_multiple_of=1, context_length=1)
    matrix = blocks.xLSTMBlock(blocks.xLSTMBlockConfig(mlstm=config, _num_blocks=1, _block_idx=0))
    cell = matrix.xlstm.mlstm_cell
    cell.backend_fn_step = functools.partial(cell.backend_fn_step, eps=0.0)

    def step(p, x, s):
        u = x["x"]
        names = {
            "xlstm_norm.weight": p["gain_x"] - 1,
            "xlstm.proj_up.weight": torch.cat([flat(p["W_up"]), p["W_z"]]),
            "xlstm.conv1d.conv.weight": flat(p["k_conv"])[:, None],
            "xlstm.conv1d.conv.bias": flat(p["b_conv"]),
            "xlstm.mlstm_cell.outnorm.weight": flat(p["gain"]) - 1,
            "xlstm.learnable_skip": flat(p["skip"]),
            "xlstm.proj_down.weight": p["W_down"],
        }
        for n in "qkv":
            names[f"xlstm.{n}_proj.weight"] = p[f"W_{n}"].reshape(-1, N, N)
        for n in "if":
            names[f"xlstm.mlstm_cell.{n}gate.weight"] = torch.cat([p[f"W_{n}{kind}"] for kind in "qkv"], 1)
            names[f"xlstm.mlstm_cell.{n}gate.bias"] = p[f"b_{n}"]
        past = s["past"].clone() if "past" in s else torch.zeros(u.shape[0], 4, K * D)
        # The package keeps the transpose of the memory.
        state = s["C"].transpose(-1, -2), s["n"].reshape(-1, K, D, 1), s["m"][..., None, None]
        y, state = functional_call(matrix, names, (u[:, None],), dict(mlstm_state=state, conv_state=(past,)))
        C, n, m = state["mlstm_state"]
        return {"y": y[:, 0]}, {"C": C.transpose(-1, -2), "n": n.flatten(1), "m": m[..., 0, 0],
                                "past": state["conv_state"][0]}

    shapes = dict(gain_x=[M], W_up=[K, D, M], k_conv=[K, D, 4], b_conv=[K, D], gain=[K, D], skip=[K, D])
    shapes |= {f"W_{n}": [K, D, N] for n in "qkv"} | {f"W_{n}{kind}": [K, K * D] for n in "if" for kind in "qkv"}
    shapes |= dict(b_i=[K], b_f=[K], W_z=[K * D, M], W_down=[M, K * D])
    write("mlstm_block", "xLSTMBlock.step", "xlstm 2.0.6", dict(x=[M]), shapes,
          dict(C=[K, D, D], n=[K * D], m=[K]), step)

    U = 5
    config = blocks.sLSTMLayerConfig(embedding_dim=K * D, num_heads=K, backend="vanilla", dtype="float32")
    forward = blocks.FeedForwardConfig(proj_factor=U / (K * D), round_proj_up_to_multiple_of=1)
    scalar = blocks.xLSTMBlock(blocks.xLSTMBlockConfig(slstm=config, feedforward=forward, _num_blocks=1, _block_idx=0))

    def step(p, x, s):
        u = x["x"]
        names = {
            "xlstm_norm.weight": p["gain_x"] - 1,
            "xlstm.conv1d.conv.weight": flat(p["k_conv"])[:, None],
            "xlstm.conv1d.conv.bias": flat(p["b_conv"]),
            # The package calls its input gate `fgate` and its forget gate `igate` here.
            "xlstm.fgate.weight": p["W_i"],
            "xlstm.igate.weight": p["W_f"],
            "xlstm.zgate.weight": p["W_z"],
            "xlstm.ogate.weight": p["W_o"],
            "xlstm.slstm_cell._recurrent_kernel_": torch.cat([p[f"R_{gate}"] for gate in "ifzo"], 1),
            "xlstm.slstm_cell._bias_": torch.cat([p[f"b_{gate}"].flatten() for gate in "ifzo"]),
            "xlstm.group_norm.weight": flat(p["gain"]) - 1,
            "ffn_norm.weight": p["gain_u"] - 1,
            "ffn.proj_up.weight": torch.cat([p["W_gate"], p["W_up"]]),
            "ffn.proj_down.weight": p["W_down"],
        }
        past = s["past"].clone() if "past" in s else torch.zeros(u.shape[0], 4, K * D)
        states = torch.stack([s[key] for key in "hcnm"])
        y, state = functional_call(scalar, names, (u[:, None],), dict(slstm_state=states, conv_state=(past,)))
        return {"y": y[:, 0]}, dict(zip("hcnm", state["slstm_state"])) | {"past": state["conv_state"][0]}

    shapes = dict(gain_x=[K * D], k_conv=[K, D, 4], b_conv=[K, D], gain=[K, D], gain_u=[K * D], W_up=[U, K * D])
    shapes |= dict(W_gate=[U, K * D], W_down=[K * D, U])
    shapes |= {f"{kind}_{gate}": [K, D, *size] for kind, size in [("W", [D]), ("R", [D]), ("b", [])] for gate in "zifo"}
    write("slstm_block", "xLSTMBlock.step", "xlstm 2.0.6", dict(x=[K * D]), shapes,
          dict(c=[K * D], n=[K * D], h=[K * D], m=[K * D]), step, draw=dict(n=positive))


def window_mask(S):
    """Returns the scores that remove all but the last `S` steps, [T, T]."""
    at, of = torch.arange(T)[:, None], torch.arange(T)[None, :]
    return torch.zeros(T, T).masked_fill((of > at) | (of <= at - S), -torch.inf)


def bias(p, n):
    """Returns a bias of an attention for all heads; that of the keys, which changes nothing, is zero."""
    value = p[f"b_{n}"] if n != "k" else torch.zeros(p["b_q"].shape)
    return value.flatten()


def conformer():
    from transformers import SeamlessM4Tv2Config
    from transformers.models.seamless_m4t_v2.modeling_seamless_m4t_v2 import SeamlessM4Tv2ConformerEncoderLayer

    M, F_, D, K, S, C = 4, 6, 2, 2, 3, 5
    config = SeamlessM4Tv2Config(
        hidden_size=M, speech_encoder_intermediate_size=F_, speech_encoder_attention_heads=K,
        conv_depthwise_kernel_size=C, speech_encoder_hidden_act="swish", layer_norm_eps=1e-5,
        position_embeddings_type="relative_key", left_max_position_embeddings=S - 1,
        right_max_position_embeddings=0, attn_implementation="eager",
    )
    block = SeamlessM4Tv2ConformerEncoderLayer(config).eval()

    def forward(p, x):
        names = {"self_attn.distance_embedding.weight": p["P"].T}
        norms = dict(ffn1_layer_norm="_1", self_attn_layer_norm="_a", final_layer_norm="", ffn2_layer_norm="_2")
        norms |= {"conv_module.layer_norm": "_c", "conv_module.depthwise_layer_norm": "_d"}
        for norm, suffix in norms.items():
            names |= {f"{norm}.weight": p[f"g{suffix}"], f"{norm}.bias": p[f"b{suffix}"]}
        for n in "12":
            names |= {f"ffn{n}.intermediate_dense.weight": p[f"U_{n}"], f"ffn{n}.intermediate_dense.bias": p[f"c_{n}"]}
            names |= {f"ffn{n}.output_dense.weight": p[f"V_{n}"], f"ffn{n}.output_dense.bias": p[f"d_{n}"]}
        for n, of in zip("qkvo", ["q", "k", "v", "out"]):
            names |= {f"self_attn.linear_{of}.weight": p[f"W_{n}"].reshape(M, M), f"self_attn.linear_{of}.bias": bias(p, n)}
        conv = dict(pointwise_conv1=torch.cat([p["W_u"], p["W_z"]])[:, :, None], depthwise_conv=p["k"][:, None],
                    pointwise_conv2=p["W_p"][:, :, None])
        names |= {f"conv_module.{key}.weight": value for key, value in conv.items()}
        assert names.keys() == dict(block.named_parameters()).keys()
        return functional_call(block, names, (x,), {"attention_mask": window_mask(S)})

    shapes = {f"{kind}{of}": [M] for of in ["_1", "_a", "_c", "_d", "_2", ""] for kind in "gb"}
    shapes |= {f"W_{n}": [M, M] for n in "ouzp"} | dict(b_o=[M], P=[D, S], k=[M, C])
    shapes |= {f"W_{n}": [K, D, M] for n in "qkv"} | {f"b_{n}": [K, D] for n in "qv"}
    for n in "12":
        shapes |= {f"U_{n}": [F_, M], f"c_{n}": [F_], f"V_{n}": [M, F_], f"d_{n}": [M]}
    write("conformer", "SeamlessM4Tv2ConformerEncoderLayer.forward", f"transformers {version('transformers')}",
          dict(x=[M]), shapes, {}, forward, run=layer)


def sliding_transformer():
    M, F_, D, K, S = 4, 6, 2, 2, 3
    block = torch.nn.TransformerEncoderLayer(M, K, F_, activation="gelu", norm_first=True, batch_first=True).eval()

    def forward(p, x):
        # The scores of the distances are a mask with other entries than zero.
        distance = torch.arange(T)[None, :] - torch.arange(T)[:, None] + S - 1
        mask = window_mask(S) + p["r"][:, distance.clamp(0, S - 1)]
        names = {
            "self_attn.in_proj_weight": torch.cat([p[f"W_{n}"].flatten(0, 1) for n in "qkv"]),
            "self_attn.in_proj_bias": torch.cat([bias(p, n) for n in "qkv"]),
            "self_attn.out_proj.weight": p["W_o"], "self_attn.out_proj.bias": p["b_o"],
            "linear1.weight": p["U"], "linear1.bias": p["c"], "linear2.weight": p["V"], "linear2.bias": p["d"],
            "norm1.weight": p["g_a"], "norm1.bias": p["b_a"], "norm2.weight": p["g_f"], "norm2.bias": p["b_f"],
        }
        assert names.keys() == dict(block.named_parameters()).keys()
        return functional_call(block, names, (x,), {"src_mask": mask.repeat(len(x), 1, 1)})

    shapes = {f"{kind}_{of}": [M] for of in "af" for kind in "gb"}
    shapes |= {f"W_{n}": [K, D, M] for n in "qkv"} | {f"b_{n}": [K, D] for n in "qv"}
    shapes |= dict(W_o=[M, M], b_o=[M], r=[K, S], U=[F_, M], c=[F_], V=[M, F_], d=[M])
    write("sliding_transformer", "TransformerEncoderLayer.forward", f"torch {torch.__version__}",
          dict(x=[M]), shapes, {}, forward, run=layer)


PARTS = [
    lru, cfc, rg_lru, s5, s4, lmu, linear_attention, rwkv, rwkv7_layers, gated_delta_net, mamba2, xlstm, xlstm_heads,
    xlstm_blocks, echo_state, conformer, sliding_transformer,
]
chosen = sys.argv[3:]
for part in [part for part in PARTS if not chosen or part.__name__ in chosen]:
    part()
