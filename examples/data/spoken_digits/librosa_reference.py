"""Writes librosa.json: logarithmic mel spectra of ../silero/speech.wav, one frame in ten.

    pip install librosa
    python librosa_reference.py
"""

import json
import pathlib

import librosa
import numpy as np

folder = pathlib.Path(__file__).parent
settings = {"n_fft": 512, "hop_length": 160, "n_mels": 40}
samples, rate = librosa.load(folder.parent / "silero/speech.wav", sr=None, dtype=np.float64)
power = librosa.feature.melspectrogram(y=samples, sr=rate, center=False, dtype=np.float64, **settings)
every = 10
values = np.log(power + 1e-6).T[::every]
result = settings | {"every": every, "librosa": librosa.__version__, "values": values.round(7).ravel().tolist()}
(folder / "librosa.json").write_text(json.dumps(result) + "\n")
print(values.shape, values.min(), values.max())
