"""Creates `speech.wav` beside this file: three seconds of synthetic speech at 48 kHz.

    apt install espeak-ng
    python3 examples/data/rnnoise/speech.py

The voice is eSpeak NG's (1.51). It writes 22,050 samples per second, which a windowed sinc turns
into 48,000 here.
"""

import array
import io
import math
import pathlib
import subprocess
import wave

SENTENCE = "The birch canoe slid on the smooth planks."
FROM, TO = 22_050, 48_000
BEFORE, LENGTH = 0.4, 3.0
ZEROS = 24

command = ["espeak-ng", "-v", "en-gb", "-s", "175", "--stdout", SENTENCE]
spoken = subprocess.run(command, check=True, capture_output=True).stdout
with wave.open(io.BytesIO(spoken)) as sound:
    assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (FROM, 1, 2)
    samples = array.array("h", sound.readframes(sound.getnframes()))


def kernel(x):
    """A sinc under Hann's window."""
    if abs(x) >= ZEROS:
        return 0.0
    sinc = 1.0 if x == 0 else math.sin(math.pi * x) / (math.pi * x)
    return sinc * math.cos(math.pi * x / (2 * ZEROS)) ** 2


# Output sample n is at the input's time n * FROM / TO, of which there are only 320 fractions.
phases = TO // math.gcd(FROM, TO)
kernels = [
    [kernel(tap - (n * FROM % TO) / TO) for tap in range(1 - ZEROS, ZEROS + 1)] for n in range(phases)
]
output = []
for n in range(math.ceil(len(samples) * TO / FROM)):
    first = n * FROM // TO + 1 - ZEROS
    taps = kernels[n % phases]
    inside = range(max(0, -first), min(2 * ZEROS, len(samples) - first))
    output.append(sum(taps[tap] * samples[first + tap] for tap in inside))

scale = 0.5 * 32767 / max(abs(value) for value in output)
before = [0] * round(BEFORE * TO)
whole = (before + [round(scale * value) for value in output] + [0] * round(LENGTH * TO))[: round(LENGTH * TO)]
print(f"{len(output) / TO:.2f} s of speech")
assert len(before) + len(output) < len(whole), "the speech does not fit"
with wave.open(str(pathlib.Path(__file__).with_name("speech.wav")), "wb") as sound:
    sound.setparams((1, 2, TO, len(whole), "NONE", ""))
    sound.writeframes(array.array("h", whole).tobytes())
