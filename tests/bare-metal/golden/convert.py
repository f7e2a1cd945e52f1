#!/usr/bin/env python3
"""Writes the bytes that a device would have in flash: the parameters of a golden case in the cell's
order (little-endian f32, column-major), the initial states, the inputs of all steps, and the
expected outputs.

    python3 tests/bare-metal/golden/convert.py
"""

import json
import struct
from pathlib import Path

HERE = Path(__file__).parent
CASES = HERE.parent.parent / "golden" / "cases"

GATES = ["i", "f", "g", "o"]
GRU = ["r", "z", "n"]

# The case's parameters in the order of the cell's declarations. `+` adds two parameters of the case.
ORDER = {
    "lstm": [f"{m}_{g}" for m in "WR" for g in GATES] + ["b_i", "b_g", "b_o", "b_f"],
    "lstm_peephole": [f"{m}_{g}" for m in "WR" for g in GATES]
    + ["p_i", "p_f", "p_o", "b_i", "b_g", "b_o", "b_f"],
    "gru_torch": [f"{m}_{g}" for m in "WR" for g in GRU] + ["b_ir+b_hr", "b_iz+b_hz", "b_in", "b_hn"],
    "mgu": ["W_f", "W_h", "R_f", "R_h", "b_f", "b_h"],
}
STATES = {"lstm": ["h", "c"], "lstm_peephole": ["h", "c"], "gru_torch": ["h"], "mgu": ["h"]}


def flat(value):
    return [x for item in value for x in flat(item)] if isinstance(value, list) else [value]


def by_columns(array):
    data, shape = flat(array["data"]), array["shape"]
    if len(shape) < 2:
        return data
    rows, columns = shape
    return [data[row * columns + column] for column in range(columns) for row in range(rows)]


for case, parameters in ORDER.items():
    content = json.loads((CASES / f"{case}_b1.json").read_text())
    numbers = []
    for name in parameters:
        summands = [by_columns(content["params"][part]) for part in name.split("+")]
        numbers += [sum(entries) for entries in zip(*summands)]
    for state in STATES[case]:
        numbers += flat(content["initial_states"][state]["data"])
    numbers += flat(content["inputs"]["x"]["data"])
    numbers += flat(content["outputs"]["h"]["data"])
    (HERE / f"{case}.f32").write_bytes(struct.pack(f"<{len(numbers)}f", *numbers))
