"""Speaks strings of one to five digits with the synthesiser espeak-ng, in many voices.

    apt-get install espeak-ng                   # 1.51 made the files beside this script
    pip install numpy soundfile soxr
    python make.py

Writes for each part of the data (training, validation, test) a sound file of all its strings, 8,000
samples per second in Ogg Vorbis, and a table of the strings in it. A voice is a variant of
espeak-ng's formant synthesiser with one of its English accents. The variants of a part occur in no
other part, nor do variants that differ in a number only (`Steph`, `Steph2`). The sound is clean:
the example adds room and noise.
"""

import csv
import io
import pathlib
import re
import subprocess

import numpy as np
import soundfile
import soxr

RATE = 8000
ACCENTS = ["en-gb", "en-us", "en-gb-scotland", "en-gb-x-gbclan", "en-gb-x-rp", "en-gb-x-gbcwmd", "en-029", "en-us-nyc"]
DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
# Robots, whispers and jokes.
EXCLUDED = r"robo|whisper|demonic|fast|announcer|tweaky|croak|UniRobot|anikaRobot"
VALIDATION = ["Alicia", "boris", "ed", "Marco", "pablo", "shelby", "klatt"]
TEST = ["Andrea", "belinda", "david", "Gene", "grandma", "Hugo", "iven", "linda", "paul", "quincy", "steph", "travis"]
STRINGS = {"training": 1500, "validation": 100, "test": 300}
# Silence around the speech and between two strings, in seconds.
MARGIN, GAP = 0.04, 0.1
# libsndfile's setting for about 2.2 kB per second.
COMPRESSION = 0.7

random = np.random.default_rng(1)


def family(variant):
    return re.sub(r"\d+$", "", variant).lower()


def parts():
    """Divides the variants of the installed espeak-ng."""
    listed = subprocess.run(["espeak-ng", "--voices=variant"], capture_output=True, text=True, check=True).stdout
    variants = re.findall(r"!v/(\S+)", listed)
    variants = sorted({v for v in variants if not re.search(EXCLUDED, v, re.IGNORECASE)})
    held_out = {"validation": {family(v) for v in VALIDATION}, "test": {family(v) for v in TEST}}
    found = {part: [v for v in variants if family(v) in families] for part, families in held_out.items()}
    found["training"] = [v for v in variants if all(family(v) not in families for families in held_out.values())]
    return found


def speak(digits, voice):
    """Returns a string of digits as samples, cropped to the speech and with a peak of 0.5."""
    words = [DIGITS[digit] for digit in digits]
    # A comma is a pause and a fall of the pitch.
    text = "".join(word + (", " if random.random() < 0.15 else " ") for word in words)
    speed, pitch = random.integers(130, 231), random.integers(20, 81)
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", text]
    sound = subprocess.run(command, capture_output=True, check=True).stdout
    samples, rate = soundfile.read(io.BytesIO(sound))
    samples = soxr.resample(samples, rate, RATE)
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    margin = round(MARGIN * RATE)
    samples = np.pad(samples, margin)[loud[0] : loud[-1] + 2 * margin]
    return 0.5 * samples / np.abs(samples).max()


def write(part, variants):
    sounds, rows, position = [], [], 0
    for index in range(STRINGS[part]):
        voice = f"{random.choice(ACCENTS)}+{variants[index % len(variants)]}"
        digits = random.integers(0, 10, size=random.integers(1, 6))
        samples = speak(digits, voice)
        rows.append([position, len(samples), "".join(map(str, digits)), voice])
        sounds += [samples, np.zeros(round(GAP * RATE))]
        position += len(samples) + round(GAP * RATE)
    folder = pathlib.Path(__file__).parent
    # One call for a whole file overflows the stack of libsndfile's encoder.
    with soundfile.SoundFile(folder / f"{part}.ogg", "w", RATE, 1, format="OGG", subtype="VORBIS",
                             compression_level=COMPRESSION) as file:
        for sound in sounds:
            file.write(sound)
    with open(folder / f"{part}.csv", "w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["start", "samples", "digits", "voice"])
        table.writerows(rows)
    print(f"{part}: {len(variants)} variants, {len(rows)} strings, {position / RATE:.0f} s")


for part, variants in parts().items():
    write(part, variants)
