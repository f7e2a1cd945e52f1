"""Compares the time per chunk of ONNX Runtime, on one thread, with the time of the example.

    pip install numpy onnx onnxruntime safetensors
    cargo build --release -p examples --example voice_activity
    python examples/data/silero/onnx_runtime.py target/release/examples/voice_activity [silero_vad_16k_op15.onnx]

The graph is built here from the weights, without the branches on the sampling rate and on shapes
that the published models have. If the path of a published model is given, it is measured too. All
models must return the reference probabilities. Times are medians over the chunks of the recording.
The calls of ONNX Runtime reuse its inputs and outputs (I/O binding), and only the call is timed.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
import wave

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

HERE = pathlib.Path(__file__).parent
ROUNDS, PASSES = 5, 10


def graph():
    tensors = load_file(HERE / "silero_vad_6.2.3_16k.safetensors")
    # ONNX orders the gates i, o, f, g.
    reorder = lambda tensor: np.concatenate([np.split(tensor, 4)[gate] for gate in (0, 3, 1, 2)])
    constants = {name: tensor for name, tensor in tensors.items() if not name.startswith("lstm")}
    constants["W"] = reorder(tensors["lstm_cell.weight_ih"])[None]
    constants["R"] = reorder(tensors["lstm_cell.weight_hh"])[None]
    constants["B"] = np.concatenate([reorder(tensors[f"lstm_cell.bias_{side}"]) for side in ("ih", "hh")])[None]
    constants["pads"] = np.array([0, 0, 0, 0, 0, 64])
    nodes = []

    def node(kind, inputs, outputs, **attributes):
        nodes.append(helper.make_node(kind, inputs.split(), outputs.split(), **attributes))

    node("Pad", "samples pads", "padded", mode="reflect")
    node("Conv", "padded stft_conv.weight", "transformed", strides=[128])
    node("Split", "transformed", "cosines sines", axis=1, num_outputs=2)
    node("Mul", "cosines cosines", "cosines2")
    node("Mul", "sines sines", "sines2")
    node("Add", "cosines2 sines2", "power")
    node("Sqrt", "power", "y0")
    for layer, stride in enumerate((1, 2, 2, 1), 1):
        name = f"conv{layer}"
        node("Conv", f"y{layer - 1} {name}.weight {name}.bias", f"z{layer}", pads=[1, 1], strides=[stride])
        node("Relu", f"z{layer}", f"y{layer}")
    node("Transpose", "y4", "features", perm=[2, 0, 1])
    # The empty name omits the sequence lengths.
    nodes.append(
        helper.make_node("LSTM", ["features", "W", "R", "B", "", "h", "c"], ["", "next_h", "next_c"], hidden_size=128)
    )
    node("Transpose", "next_h", "column", perm=[1, 2, 0])
    node("Relu", "column", "rectified")
    node("Conv", "rectified final_conv.weight final_conv.bias", "logit")
    node("Sigmoid", "logit", "probability")
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    states = {name: [1, 1, 128] for name in ("h", "c")}
    return helper.make_model(
        helper.make_graph(
            nodes,
            "silero_vad",
            [value("samples", [1, 1, 576])] + [value(name, shape) for name, shape in states.items()],
            [value("probability", [1, 1, 1])] + [value(f"next_{name}", shape) for name, shape in states.items()],
            [numpy_helper.from_array(tensor, name) for name, tensor in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


class Stream:
    """A model with bound inputs and outputs, whose states are copied back by hand."""

    def __init__(self, model, samples, states, outputs, constants):
        self.session, self.samples, self.states = session(model), samples, states
        self.binding = self.session.io_binding()
        self.inputs = {samples[0]: np.zeros(samples[1], np.float32)} | constants
        self.inputs |= {name: np.zeros(shape, np.float32) for name, shape in states.items()}
        self.outputs = {name: np.zeros(shape, np.float32) for name, shape in outputs.items()}
        for name, array in self.inputs.items():
            self.binding.bind_input(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        for name, array in self.outputs.items():
            self.binding.bind_output(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)

    def detect(self, chunks):
        times, probabilities = [], []
        samples = self.inputs[self.samples[0]].reshape(-1)
        samples[:] = 0
        for name in self.states:
            self.inputs[name][:] = 0
        first, *nexts = self.outputs
        for chunk in chunks:
            samples[:64] = samples[-64:]
            samples[64:] = chunk
            start = time.perf_counter()
            self.session.run_with_iobinding(self.binding)
            times.append(time.perf_counter() - start)
            probabilities.append(float(self.outputs[first].reshape(-1)[0]))
            for name, next_name in zip(self.states, nexts):
                self.inputs[name][:] = self.outputs[next_name]
        return times, probabilities


def main():
    program, *published = sys.argv[1:]
    with wave.open(str(HERE / "speech.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    chunks = samples[: len(samples) // 512 * 512].reshape(-1, 512)
    reference = np.array(json.loads((HERE / "speech.json").read_text())["probability"])
    state = [1, 1, 128]
    built = graph()
    onnx.checker.check_model(built)
    streams = {
        "ONNX Runtime, graph built here": Stream(
            built.SerializeToString(),
            ("samples", [1, 1, 576]),
            {"h": state, "c": state},
            {"probability": [1, 1, 1], "next_h": state, "next_c": state},
            {},
        )
    }
    for path in published:
        streams[f"ONNX Runtime, {pathlib.Path(path).name}"] = Stream(
            path,
            ("input", [1, 576]),
            {"state": [2, 1, 128]},
            {"output": [1, 1], "stateN": [2, 1, 128]},
            {"sr": np.array(16000)},
        )
    for name, stream in streams.items():
        difference = np.abs(np.array(stream.detect(chunks)[1]) - reference).max()
        print(f"{name}: probabilities differ by {difference:.1e} at most from the reference")
        assert difference < 1e-4

    microseconds = {name: [] for name in ("rnn-cell", *streams)}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            command = [program, "--picture", os.path.join(folder, "picture.svg")]
            output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            microseconds["rnn-cell"].append(float(re.search(r"([\d.]+) us per chunk", output)[1]))
            for name, stream in streams.items():
                times = [time for _ in range(PASSES) for time in stream.detect(chunks)[0]]
                microseconds[name].append(1e6 * statistics.median(times))
    for name, rounds in microseconds.items():
        median = statistics.median(rounds)
        print(f"{name}: {median:.1f} us per chunk, real-time factor {median / 32000:.5f} ({ROUNDS} rounds: {min(rounds):.1f} to {max(rounds):.1f})")


main()
