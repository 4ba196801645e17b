"""Crops of 19x19 for the face net: `python make_face_data.py CBCL ORL PHOTOS NAMES OUT`.

CBCL holds `faces/` and `non-faces/` of 19x19, ORL the folders `s1` to `s40` of 92x112, PHOTOS the pictures
that the lines of NAMES list, in which there is nobody. OUT gets `train` and `test`, each with `face` and
`other`. People, photographs and crops of the test set are in no training set. Needs Pillow and NumPy.
"""

import pathlib
import sys

import numpy as np
from PIL import Image

cbcl, orl, photos, names, out = map(pathlib.Path, sys.argv[1:])
rng = np.random.default_rng(1)
SIDE = 19


def save(image, split, kind, name):
    folder = out / split / kind
    folder.mkdir(parents=True, exist_ok=True)
    image.convert("L").save(folder / f"{name}.png")


for kind, folder in (("face", "faces"), ("other", "non-faces")):
    files = sorted((cbcl / folder).glob("*.png"))
    for i, file in enumerate(files):
        save(Image.open(file), "test" if i % 10 == 0 else "train", kind, file.stem)
# Forehead to chin fills an ORL picture; the CBCL frame is from the brows to below the mouth.
for person in range(1, 41):
    for file in sorted((orl / f"s{person}").glob("*.pgm")):
        x, y, side = 46 + rng.normal(0, 1.5), 62 + rng.normal(0, 2), 62 * np.exp(rng.normal(0, 0.05))
        box = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
        crop = Image.open(file).resize((SIDE, SIDE), Image.Resampling.BOX, box)
        save(crop, "test" if person > 36 else "train", "face", f"orl-{person}-{file.stem}")
for i, name in enumerate(names.read_text().split()):
    photo = Image.open(photos / name).convert("L")
    for k in range(160):
        side = min(photo.size) * np.exp(rng.uniform(np.log(SIDE / min(photo.size)), np.log(0.9)))
        x, y = (rng.uniform(0, length - side) for length in photo.size)
        crop = photo.resize((SIDE, SIDE), Image.Resampling.BOX, (x, y, x + side, y + side))
        save(crop, "test" if i % 10 == 0 else "train", "other", f"photo-{i}-{k}")
