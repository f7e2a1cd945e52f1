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


cases = {
    "convolution": convolution(11, 3, 2, 2),
    "attention": attention(9, 3, 4, 5),
    "depthwise": depthwise(9, 3),
}
flat = {name: {key: array.ravel().tolist() for key, array in case.items()} for name, case in cases.items()}
pathlib.Path(__file__).with_name("reference.json").write_text(json.dumps(flat, indent=1) + "\n")
