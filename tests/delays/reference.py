"""Writes reference.json: convolutions and attention over the recent past, by NumPy in float64.

The convolution is that of `torch.nn.Conv1d(I, O, 3, dilation=2)` on an input padded with four zeros
on the left. Run with `python reference.py`, after `pip install numpy`.
"""

import json
import pathlib

import numpy as np

random = np.random.default_rng(20261129)


def convolution(steps, inputs, outputs, dilation):
    x = random.normal(size=(inputs, steps))
    kernel = random.normal(size=(outputs, inputs, 3))
    bias = random.normal(size=outputs)
    dy = random.normal(size=(outputs, steps))
    padded = np.concatenate([np.zeros((inputs, 2 * dilation)), x], axis=1)
    # The three shifts of the input as one array [I, 3, T].
    shifted = np.stack([padded[:, k * dilation : k * dilation + steps] for k in range(3)], axis=1)
    y = np.einsum("oik,ikt->ot", kernel, shifted) + bias[:, None]
    dpadded = np.zeros_like(padded)
    for k in range(3):
        dpadded[:, k * dilation : k * dilation + steps] += kernel[:, :, k].T @ dy
    return {
        "x": x.T,
        "kernel": kernel,
        "bias": bias,
        "dy": dy.T,
        "y": y.T,
        "dkernel": np.einsum("ot,ikt->oik", dy, shifted),
        "dbias": dy.sum(axis=1),
        "dx": dpadded[:, 2 * dilation :].T,
    }


def attention(steps, inputs, size, window):
    x = random.normal(size=(steps, inputs))
    query, key, value = (random.normal(size=(size, inputs)) for _ in range(3))
    q, k, v = x @ query.T, x @ key.T, x @ value.T
    scores = q @ k.T / np.sqrt(size)
    at, of = np.arange(steps)[:, None], np.arange(steps)[None, :]
    scores[(of > at) | (of <= at - window)] = -np.inf
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    return {"x": x, "query": query, "key": key, "value": value, "y": weights @ v}


def depthwise(steps, inputs):
    x = random.normal(size=(steps, inputs))
    kernel = random.normal(size=(inputs, 4))
    columns = [np.convolve(x[:, i], kernel[i, ::-1])[:steps] for i in range(inputs)]
    return {"x": x, "kernel": kernel, "y": np.stack(columns, axis=1)}


def causal(x, kernel, bias, dilation):
    """`torch.nn.Conv1d` of the kernel [O, I, taps] on the columns of `x`, padded on the left."""
    taps, steps = kernel.shape[2], x.shape[1]
    padded = np.pad(x, ((0, 0), ((taps - 1) * dilation, 0)))
    shifted = np.stack([padded[:, k * dilation : k * dilation + steps] for k in range(taps)], axis=1)
    return np.einsum("oik,ikt->ot", kernel, shifted) + bias[:, None]


def side_by_side(kernel):
    """The matrices of the taps of a kernel, the oldest first."""
    return np.concatenate([kernel[:, :, k] for k in range(kernel.shape[2])], axis=1)


def tcn_block(steps, inputs, outputs, dilation):
    x = random.normal(size=(inputs, steps))
    first, second = random.normal(size=(outputs, inputs, 3)), random.normal(size=(outputs, outputs, 3))
    residual = random.normal(size=(outputs, inputs))
    b_1, b_2, b_s = random.normal(size=(3, outputs))
    h = np.maximum(causal(x, first, b_1, dilation), 0)
    g = np.maximum(causal(h, second, b_2, dilation), 0)
    y = np.maximum(residual @ x + b_s[:, None] + g, 0)
    kernels = {"K_1": side_by_side(first), "K_2": side_by_side(second), "S": residual}
    return {"x": x.T, "y": y.T, "b_1": b_1, "b_2": b_2, "b_s": b_s} | kernels


def wavenet(steps, residual, skip, dilations):
    """WaveNet layers on top of each other; their parameters are stacked."""
    x, s = random.normal(size=(residual, steps)), random.normal(size=(skip, steps))
    case = {"x": np.concatenate([x, s]).T}
    for layer, dilation in enumerate(dilations):
        filters, gates = random.normal(size=(2, residual, residual, 2))
        to_residual, to_skip = random.normal(size=(residual, residual)), random.normal(size=(skip, residual))
        b_f, b_g, b_r = random.normal(size=(3, residual))
        b_s = random.normal(size=skip)
        gate = 1 / (1 + np.exp(-causal(x, gates, b_g, dilation)))
        z = np.tanh(causal(x, filters, b_f, dilation)) * gate
        x, s = x + to_residual @ z + b_r[:, None], s + to_skip @ z + b_s[:, None]
        parameters = {"W_f": side_by_side(filters), "W_g": side_by_side(gates), "W_r": to_residual}
        parameters |= {"W_s": to_skip, "b_f": b_f, "b_g": b_g, "b_r": b_r, "b_s": b_s}
        case |= {f"{layer}.{name}": value for name, value in parameters.items()}
    return case | {"y": np.concatenate([x, s]).T}


cases = {
    "convolution": convolution(11, 3, 2, 2),
    "attention": attention(9, 3, 4, 5),
    "depthwise": depthwise(9, 3),
    "tcn_block": tcn_block(17, 3, 4, 3),
    "wavenet": wavenet(19, 3, 2, [1, 4]),
}
flat = {name: {key: array.ravel().tolist() for key, array in case.items()} for name, case in cases.items()}
pathlib.Path(__file__).with_name("reference.json").write_text(json.dumps(flat, indent=1) + "\n")
