"""Data for the cascade of frontal faces: `python make_cascade_data.py CBCL ORL RECORDS PHOTOS NAMES OUT`.

CBCL holds `faces/` of 19x19, ORL the folders `s1` to `s40` of 92x112, RECORDS what `lyncean run -r faces-yunet ORL
--records RECORDS` says of them, PHOTOS the pictures that the lines of NAMES list, in which three cascades found
nobody. OUT gets `train`, `validation` and `test` with crops of 19x19 in CBCL's frame, from the brows to below the mouth:
those of ORL are brought to it by their eyes and mouths. `train-photos.txt` and `test-photos.txt` list pictures without
faces; `info.dat` lists people of validation and photographs of training and validation, for the calibration. People,
photographs and runs of sixty CBCL crops, which are of the same people, are in one part only. Crops that learn and set
thresholds are also moved, scaled and turned at random; those of the test are as they are. Needs Pillow and NumPy.
"""

import json
import os
import pathlib
import sys

import numpy as np
from PIL import Image

cbcl, orl, records, photos, names, out = map(pathlib.Path, sys.argv[1:])
rng = np.random.default_rng(1)
SIDE, EDGE = 19, 8
# In pixels of a crop: between the eyes, from them down to the mouth, and from the top to halfway between these.
EYES, MOUTH, MIDDLE = 10, 11.1, 9.8
# How far crops are moved and scaled, as shares of their side, and turned, in degrees.
SHAKE = (0.05, 0.1, 10)
# Heads whose nose is further from the middle, as a share of the distance of the eyes, are turned aside.
ASIDE = 0.2
# Photographs that show people, statues or a painted face after all, though no cascade had found any.
PEOPLE = """
126039 145014 145053 15004 151087 163014 170054 181091 187071 188005 198023 216053 242078 26031 268002 286092
293029 310007 365073 368016 368078 55075 56028 61060 90076 101087 145086 220075 271035 285079 361010 42012
55073 65033
""".split()


def save(image, split, name):
    (out / split).mkdir(parents=True, exist_ok=True)
    image.convert("L").save(out / split / f"{name}.png")


def cut(image, x, y, side, turn, shake=(0, 0, 0)):
    """The square of a side around a point, turned, and moved at random."""
    shift, scale, more = shake
    dx, dy = rng.uniform(-shift, shift, 2) * side
    side *= np.exp(rng.uniform(-scale, scale))
    angle = np.radians(turn + rng.uniform(-more, more))
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
    if split != "test":
        wide = Image.fromarray(np.pad(np.asarray(face), EDGE, mode="edge"))
        for k in range(2):
            middle = EDGE + SIDE / 2
            save(cut(wide, middle, middle, SIDE, 0, SHAKE), split, f"{file.stem}-{k}")

boxes = []
for line in records.read_text().splitlines():
    record = json.loads(line)
    person, stem = pathlib.Path(record["image"]).parts[-2:]
    split = "test" if int(person[1:]) > 36 else "validation" if int(person[1:]) > 32 else "train"
    faces = record["results"]["faces"]["objects"]
    if not faces:
        continue
    at = {point: np.array([faces[0][f"{point}-x"], faces[0][f"{point}-y"]]) for point in
          ("right-eye", "left-eye", "nose", "right-mouth", "left-mouth")}
    eyes, mouth = (at["right-eye"] + at["left-eye"]) / 2, (at["right-mouth"] + at["left-mouth"]) / 2
    across, down = at["left-eye"] - at["right-eye"], mouth - eyes
    side = SIDE * np.sqrt(np.hypot(*across) / EYES * np.hypot(*down) / MOUTH)
    x, y = (eyes + mouth) / 2 + down * (SIDE / 2 - MIDDLE) / MOUTH
    file = orl / person / stem
    if split == "validation":
        box = [round(v) for v in (x - side / 2, y - side / 2, side, side)]
        boxes.append(f"{os.path.relpath(file, out)} 1 {' '.join(map(str, box))}\n")
    if abs((at["nose"] - (eyes + mouth) / 2) @ across) > ASIDE * (across @ across):
        continue
    turn = np.degrees(np.arctan2(across[1], across[0]))
    picture = Image.open(file)
    for k in range(1 if split == "test" else 6):
        crop = cut(picture, x, y, side, turn, SHAKE if k else (0, 0, 0))
        save(crop, split, f"orl-{person}-{file.stem}-{k}")

empty = [name for name in names.read_text().split() if pathlib.Path(name).stem not in PEOPLE]
lists = {"train": [], "validation": [], "test": []}
for i, name in enumerate(empty):
    lists[part(i)].append(os.path.relpath(photos / name, out))
for split in ("train", "test"):
    (out / f"{split}-photos.txt").write_text("".join(f"{name}\n" for name in lists[split]))
(out / "info.dat").write_text("".join(boxes) + "".join(f"{name} 0\n" for name in lists["train"] + lists["validation"]))
