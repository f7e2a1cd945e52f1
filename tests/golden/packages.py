"""Writes the golden cases of cells whose reference is a package of PyPI.

    pip install torch einops scipy numpy
    pip download --no-deps -d wheels lru-pytorch ncps recurrentgemma reservoirpy s5-pytorch \
        fla-core xlstm rwkv7-hf transformers  # and unpack each into a directory of its own name
    python packages.py SOURCES cases

SOURCES is the directory of the unpacked packages. Single files are loaded from them, because the
packages as a whole need GPU libraries. Files that convert to float32 run in float64: `float` and
`float32` are redefined before they are loaded.

The recurrence of each cell is the package's; the projections around it are written here where the
package's layer has more than the cell (heads, convolutions).
"""

import ast
import glob
import importlib.util
import json
import sys
import types

import numpy as np
import scipy.signal
import torch
import torch.nn.functional as F
from torch.nn.utils.stateless import functional_call

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


def write(name, equations, package, inputs, params, states, step, buffers={}, draw={}):
    """Writes a case at batch 1 and 4.

    `params`, `buffers`, `inputs` and `states` map names to shapes. Matrix states are written by
    columns, as the library stores them. `draw` maps names to functions that make the values.
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
        state, outputs, per_step = dict(initial), [], []
        for t in range(T):
            y, state = step({**p, **fixed}, {key: x[t] for key, x in xs.items()}, state)
            outputs.append(y)
            per_step.append(state)
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
    delta = load("fla_core/fla/ops/gated_delta_rule/naive.py").naive_recurrent_gated_delta_rule
    simple = load("fla_core/fla/ops/simple_gla/naive.py").naive_recurrent_simple_gla
    rwkv6 = load("fla_core/fla/ops/rwkv6/recurrent_naive.py").naive_recurrent_rwkv6
    rwkv7 = load("rwkv7_hf/rwkv7_hf/ops_rwkv7.py").rwkv7_recurrent
    one = lambda u: u[:, None, None]
    rms = lambda u, gain: u * torch.rsqrt(u.square().mean(-1, keepdim=True) + 1e-5) * gain
    I, K, V, R = 3, 4, 5, 2

    def step(p, x, s):
        u = x["x"]
        gate = F.logsigmoid(F.linear(F.linear(u, p["W_down"]), p["W_up"], p["b_a"])) / 16
        o, S = gla(one(u @ p["W_q"].T), one(u @ p["W_k"].T), one(u @ p["W_v"].T), one(gate), s["S"][:, None], True)
        o = F.layer_norm(o[:, 0, 0], [V], p["gain"], p["bias"])
        return {"y": (F.silu(F.linear(u, p["W_r"], p["b_r"])) * o) @ p["W_o"].T}, {"S": S[:, 0]}

    shapes = dict(W_q=[K, I], W_k=[K, I], W_v=[V, I], W_down=[R, I], W_up=[K, R], b_a=[K], W_r=[V, I], b_r=[V])
    shapes |= dict(gain=[V], bias=[V], W_o=[I, V])
    write("gated_linear_attention", "naive_recurrent_gla", "fla-core 0.6.0", dict(x=[I]), shapes, dict(S=[K, V]), step)

    def step(p, x, s):
        u = x["x"]
        unit = lambda w: w * torch.rsqrt(w.square().sum(-1, keepdim=True) + 1e-6)
        q, k = unit(F.silu(u @ p["W_q"].T)), unit(F.silu(u @ p["W_k"].T))
        g = -torch.exp(p["log_rate"]) * F.softplus(u @ p["w_a"] + p["b_a"])
        beta = torch.sigmoid(u @ p["w_b"])
        S = s["S"].transpose(-1, -2)[:, None]
        o, S = delta(one(q), one(k), one(F.silu(u @ p["W_v"].T)), one(beta), one(g), None, S, True)
        y = (rms(o[:, 0, 0], p["gain"]) * F.silu(u @ p["W_g"].T)) @ p["W_o"].T
        return {"y": y}, {"S": S[:, 0].transpose(-1, -2)}

    shapes = dict(W_q=[K, I], W_k=[K, I], W_v=[V, I], w_a=[I], w_b=[I], log_rate=[], b_a=[], W_g=[V, I])
    shapes |= dict(gain=[V], W_o=[I, V])
    write("gated_delta_net", "naive_recurrent_gated_delta_rule", "fla-core 0.6.0", dict(x=[I]), shapes,
          dict(S=[V, K]), step)

    def step(p, x, s):
        u = x["u"]
        dt = F.softplus(u @ p["w_dt"] + p["b_dt"])
        v = u @ p["W_x"].T
        S = s["S"].transpose(-1, -2)[:, None]
        o, S = simple(one(u @ p["W_C"].T), one(u @ p["W_B"].T), one(dt[:, None] * v), one(-torch.exp(p["log_rate"]) * dt),
                      1.0, S, True)
        y = o[:, 0, 0] + p["skip"] * v
        return {"out": rms(y * F.silu(u @ p["W_z"].T), p["g"]) @ p["W_out"].T}, {"S": S[:, 0].transpose(-1, -2)}

    shapes = dict(W_x=[V, I], W_z=[V, I], W_B=[K, I], W_C=[K, I], w_dt=[I], b_dt=[], log_rate=[], skip=[], g=[V])
    shapes |= dict(W_out=[I, V])
    write("ssd", "naive_recurrent_simple_gla", "fla-core 0.6.0", dict(u=[I]), shapes, dict(S=[V, K]), step)

    D = 4

    def step(p, x, s):
        u, move = x["x"], s["x_prev"] - x["x"]
        mixed = u + move * p["mu"]
        mix = lambda n: u + move * (p[f"mu_{n}"] + torch.tanh(mixed @ p[f"A_{n}"].T) @ p[f"B_{n}"].T)
        r, k, v, g = (mix(n) @ p[f"W_{n}"].T for n in "rkvg")
        w = -torch.exp(p["decay"] + torch.tanh(mix("d") @ p["A_w"].T) @ p["B_w"].T)
        o, S = rwkv6(one(r), one(k), one(v), one(w), p["bonus"][None], 1.0, s["S"][:, None], True)
        o = F.layer_norm(o[:, 0, 0], [D], p["gain"], p["bias"])
        return {"y": (F.silu(g) * o) @ p["W_o"].T}, {"x_prev": u, "S": S[:, 0]}

    shapes = dict(mu=[D], decay=[D], bonus=[D], gain=[D], bias=[D], W_o=[D, D], A_w=[R, D], B_w=[D, R])
    for n in "rkvgd":
        shapes |= {f"mu_{n}": [D], f"A_{n}": [R, D], f"B_{n}": [D, R]}
        shapes |= {} if n == "d" else {f"W_{n}": [D, D]}
    write("rwkv6", "naive_recurrent_rwkv6", "fla-core 0.6.0", dict(x=[D]), shapes, dict(x_prev=[D], S=[D, D]), step)

    def step(p, x, s):
        u, move = x["x"], s["x_prev"] - x["x"]
        mix = lambda n: u + move * p[f"mu_{n}"]
        r, k, v = (mix(n) @ p[f"W_{n}"].T for n in "rkv")
        w = torch.exp(-np.exp(-0.5) * torch.sigmoid(p["b_d"] + torch.tanh(mix("d") @ p["A_d"].T) @ p["B_d"].T))
        a = torch.sigmoid(p["b_a"] + mix("a") @ p["A_a"].T @ p["B_a"].T)
        g = torch.sigmoid(mix("g") @ p["A_g"].T) @ p["B_g"].T
        removal = F.normalize(k * p["xi"], dim=-1)
        key = k * (1 + (a - 1) * p["alpha"])
        o, S = rwkv7(one(r), one(w), one(key), one(v), one(-removal), one(removal * a),
                     s["S"].transpose(-1, -2)[:, None])
        o = F.layer_norm(o[:, 0, 0], [D], p["gain"], p["bias"]) + (r * p["bonus"] * key).sum(-1, keepdim=True) * v
        return {"y": (g * o) @ p["W_o"].T}, {"x_prev": u, "S": S[:, 0].transpose(-1, -2)}

    shapes = dict(b_d=[D], b_a=[D], xi=[D], alpha=[D], bonus=[D], gain=[D], bias=[D], W_o=[D, D])
    for n in "rdkvag":
        shapes |= {f"mu_{n}": [D]}
        shapes |= {f"W_{n}": [D, D]} if n in "rkv" else {f"A_{n}": [R, D], f"B_{n}": [D, R]}
    write("rwkv7", "rwkv7_recurrent", "rwkv7-hf 0.9.0", dict(x=[D]), shapes, dict(x_prev=[D], S=[D, D]), step)


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


for part in [lru, cfc, rg_lru, s5, s4, lmu, linear_attention, xlstm, xlstm_heads, echo_state]:
    part()
