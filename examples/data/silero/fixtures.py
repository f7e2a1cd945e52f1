"""Creates the weights, the reference values and the segments beside this file from the package silero-vad 6.2.3.

    pip install --no-deps silero-vad==6.2.3 && pip install numpy onnx onnxruntime torch torchaudio safetensors packaging
    python examples/data/silero/fixtures.py

The weights are those of the package's ONNX model, under the names of the package's
`silero_vad_16k.safetensors`. That file itself cannot be used: it comes from an earlier training and
yields other probabilities than the package's ONNX and TorchScript models.
"""

import json
import pathlib
import random
import wave
from importlib.metadata import distribution

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from safetensors.numpy import save_file

HERE = pathlib.Path(__file__).parent
PACKAGE = pathlib.Path(distribution("silero-vad").locate_file("silero_vad"))
MODEL = onnx.load(PACKAGE / "data" / "silero_vad_16k_op15.onnx")


def weights():
    names = {
        "model.stft.forward_basis_buffer": "stft_conv.weight",
        "model.decoder.decoder.2.weight": "final_conv.weight",
        "model.decoder.decoder.2.bias": "final_conv.bias",
    }
    for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        names[f"model.decoder.rnn.{part}"] = f"lstm_cell.{part}"
    for layer in range(4):
        for part in ("weight", "bias"):
            names[f"model.encoder.{layer}.reparam_conv.{part}"] = f"conv{layer + 1}.{part}"
    tensors = {names[t.name]: numpy_helper.to_array(t) for t in MODEL.graph.initializer if t.name in names}
    assert set(tensors) == set(names.values())
    save_file(tensors, HERE / "silero_vad_6.2.3_16k.safetensors")


def reference():
    """Writes the probabilities of all whole chunks, the LSTM's inputs in the first 20, and its state (h, then c) after them."""
    encoded = "/model/encoder/3/activation/Relu_output_0"
    MODEL.graph.output.append(onnx.helper.make_empty_tensor_value_info(encoded))
    session = onnxruntime.InferenceSession(MODEL.SerializeToString(), providers=["CPUExecutionProvider"])
    with wave.open(str(HERE / "speech.wav")) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
    state, context = np.zeros((2, 1, 128), np.float32), np.zeros(64, np.float32)
    probabilities, inputs, states = [], [], []
    for chunk in samples[: len(samples) // 512 * 512].reshape(-1, 512):
        feeds = {"input": np.concatenate([context, chunk])[None], "state": state, "sr": np.array(16000)}
        output, state, features = session.run(["output", "stateN", encoded], feeds)
        context = chunk[-64:]
        probabilities.append(float(output[0, 0]))
        inputs.append(features[0, :, 0].tolist())
        states.append(state[:, 0].tolist())
    with open(HERE / "speech.json", "w") as file:
        json.dump(
            {
                "sample_rate": 16000,
                "chunk": 512,
                "context": 64,
                "probability": probabilities,
                "lstm_input_first_20_chunks": inputs[:20],
                "state_h_c_after_chunk_20": states[19],
            },
            file,
        )


def segments():
    from silero_vad.utils_vad import get_speech_timestamps_from_probs

    rng = random.Random(1)
    cases = []
    for case in range(30):
        threshold, milliseconds = [0.5, 0.8, 0.1][case % 3], [(100, 250, 30), (64, 64, 100), (32, 32, 500)][case // 3 % 3]
        chunks = rng.randrange(1, 120)
        # Multiples of a tenth, so that some equal the thresholds.
        level, probabilities = rng.randrange(11), []
        for _ in range(chunks):
            level = min(max(level + rng.randrange(-4, 5), 0), 10)
            probabilities.append(level / 10)
        length = chunks * 512 + rng.randrange(512)
        silence, speech, pad = milliseconds
        found = get_speech_timestamps_from_probs(
            probabilities,
            threshold=threshold,
            min_silence_duration_ms=silence,
            min_speech_duration_ms=speech,
            speech_pad_ms=pad,
            audio_length_samples=length,
        )
        cases.append(
            {
                "threshold": threshold,
                "min_silence": 16 * silence,
                "min_speech": 16 * speech,
                "pad": 16 * pad,
                "length": length,
                "probability": probabilities,
                "segments": [[segment["start"], segment["end"]] for segment in found],
            }
        )
    (HERE / "segments.json").write_text("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]\n")


weights()
reference()
segments()
