"""Cascades on the same pictures: `python judge_face_cascades.py ORL PHOTOS_TXT RECORDS CASCADE...`.

Counts, at several numbers of neighbours: faces found in the pictures of the people 37 to 40 of ORL, twice as large; boxes
in the photographs that PHOTOS_TXT lists, in which there is nobody; and faces found and other boxes in the photographs of
RECORDS, which is what `lyncean run faces-yunet FACES --records RECORDS` says of them, looked through by a person. A face
is found where the centre of a box lies near the middle between eyes and mouth, and its size is between that of the inner
face and that of a head. Needs opencv-python-headless 4 and runs without IPP.
"""

import gzip
import json
import math
import pathlib
import sys
import tempfile

import cv2

cv2.ipp.setUseIPP(False)
cv2.ocl.setUseOpenCL(False)
orl, listing, records = map(pathlib.Path, sys.argv[1:4])
people = [path for person in range(37, 41) for path in sorted((orl / f"s{person}").glob("*.pgm"))]
photos = [listing.parent / line for line in listing.read_text().split()]
alone = [cv2.resize(cv2.imread(str(path), 0), None, fx=2, fy=2) for path in people]
empty = [cv2.imread(str(path), 0) for path in photos]
labelled = [json.loads(line) for line in records.read_text().splitlines()]
groups = [(cv2.imread(str(records.parent / r["image"]), 0), r["results"]["faces"]["objects"]) for r in labelled]
NEIGHBOURS = (0, 1, 2, 3, 5, 8)


def load(path):
    text = gzip.open(path).read() if path.endswith(".gz") else pathlib.Path(path).read_bytes()
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(text)
        file.flush()
        return cv2.CascadeClassifier(file.name)


def is_alone(box):
    x, y, w, h = box
    return max(abs(x + w / 2 - 92), abs(y + h / 2 - 124)) < w / 4


def is_on(box, face):
    x, y, w, h = box
    middle = lambda part: [(face[f"left-{part}-{axis}"] + face[f"right-{part}-{axis}"]) / 2 for axis in "xy"]
    eyes, mouth = middle("eye"), middle("mouth")
    apart = math.hypot(*(face[f"left-eye-{axis}"] - face[f"right-eye-{axis}"] for axis in "xy"))
    size = max(apart, math.dist(eyes, mouth))
    centre = [(a + b) / 2 for a, b in zip(eyes, mouth)]
    return math.dist((x + w / 2, y + h / 2), centre) < 0.6 * size and 1.2 * size < w < 3.6 * size


faces = sum(len(objects) for _, objects in groups)
print("| cascade | | " + " | ".join(map(str, NEIGHBOURS)) + " |\n|---|---|" + "---:|" * len(NEIGHBOURS))
for path in sys.argv[4:]:
    cascade = load(path)
    assert not cascade.empty(), path
    rows = {name: [] for name in (f"of {len(alone)} people of ORL", f"boxes in {len(empty)} photographs of nobody",
                                  f"of {faces} faces in {len(groups)} photographs", "other boxes there")}
    for neighbours in NEIGHBOURS:
        found = lambda picture: cascade.detectMultiScale(picture, 1.1, neighbours, minSize=(24, 24))
        boxes = [(found(picture), objects) for picture, objects in groups]
        values = (
            sum(any(map(is_alone, found(face))) for face in alone),
            sum(len(found(picture)) for picture in empty),
            sum(any(is_on(box, face) for box in some) for some, objects in boxes for face in objects),
            sum(not any(is_on(box, face) for face in objects) for some, objects in boxes for box in some),
        )
        for row, value in zip(rows.values(), values):
            row.append(value)
    name = pathlib.Path(path).name.split(".")[0]
    for i, (row, values) in enumerate(rows.items()):
        print(f"| {f'`{name}`' if i == 0 else ''} | {row} | " + " | ".join(map(str, values)) + " |")
