"""Data for the cascade of frontal faces: `python make_cascade_data.py CBCL ORL PHOTOS NAMES OUT`.

CBCL holds `faces/` of 19x19, ORL the folders `s1` to `s40` of 92x112, PHOTOS the pictures that the lines of NAMES
list, in which three cascades found nobody. OUT gets `train`, `validation` and `test` with crops of 19x19 in CBCL's frame, from the
brows to below the mouth, and `train-photos.txt` and `test-photos.txt`, which list pictures without faces. People,
photographs and runs of sixty CBCL crops, which are of the same people, are in one part only. Crops to train with are
also turned, shifted and scaled a little; the others are as they are. Needs Pillow and NumPy.
"""

import os
import pathlib
import sys

import numpy as np
from PIL import Image

cbcl, orl, photos, names, out = map(pathlib.Path, sys.argv[1:])
rng = np.random.default_rng(1)
SIDE, EDGE = 19, 8
# Photographs that show people, statues or a painted face after all, though no cascade had found any.
PEOPLE = """
126039 145014 145053 15004 151087 163014 170054 181091 187071 188005 198023 216053 242078 26031 268002 286092
293029 310007 365073 368016 368078 55075 56028 61060 90076 101087 145086 220075 271035 285079 361010 42012
55073 65033
""".split()


def save(image, split, name):
    (out / split).mkdir(parents=True, exist_ok=True)
    image.convert("L").save(out / split / f"{name}.png")


def moved(image, x, y, side, shift, scale, turn):
    """The square of a side around a point, moved at random by shares of the side and by degrees."""
    dx, dy = rng.uniform(-shift, shift, 2) * side
    side *= np.exp(rng.uniform(-scale, scale))
    angle = np.radians(rng.uniform(-turn, turn))
    c, s = np.cos(angle) * side / 2, np.sin(angle) * side / 2
    x, y = x + dx, y + dy
    corners = [v for a, b in ((-1, -1), (-1, 1), (1, 1), (1, -1)) for v in (x + a * c - b * s, y + a * s + b * c)]
    # Four times as fine, then averaged.
    fine = image.transform((4 * SIDE, 4 * SIDE), Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)
    return fine.resize((SIDE, SIDE), Image.Resampling.BOX)


def part(number):
    return {0: "test", 5: "validation"}.get(number % 10, "train")


for i, file in enumerate(sorted((cbcl / "faces").glob("*.png"))):
    face, split = Image.open(file).convert("L"), part(i // 60)
    save(face, split, file.stem)
    if split == "train":
        wide = Image.fromarray(np.pad(np.asarray(face), EDGE, mode="edge"))
        for k in range(2):
            centre = EDGE + SIDE / 2
            save(moved(wide, centre, centre, SIDE, 0.03, 0.06, 7), split, f"{file.stem}-{k}")
# Forehead to chin fills an ORL picture; the CBCL frame is from the brows to below the mouth.
for person in range(1, 41):
    split = "test" if person > 36 else "validation" if person > 32 else "train"
    for file in sorted((orl / f"s{person}").glob("*.pgm")):
        picture = Image.open(file)
        for k in range(4 if split == "train" else 1):
            x, y, side = 46 + rng.normal(0, 1.5), 62 + rng.normal(0, 2), 62 * np.exp(rng.normal(0, 0.05))
            turn = 7 if split == "train" else 0
            save(moved(picture, x, y, side, 0, 0, turn), split, f"orl-{person}-{file.stem}-{k}")
empty = [name for name in names.read_text().split() if pathlib.Path(name).stem not in PEOPLE]
for split in ("train", "test"):
    listed = [name for i, name in enumerate(empty) if (i % 10 == 0) == (split == "test")]
    lines = [os.path.relpath(photos / name, out) + "\n" for name in listed]
    (out / f"{split}-photos.txt").write_text("".join(lines))
