"""Three cascades on the same held-out pictures: `python judge_face_cascades.py ORL PHOTOS_TXT CASCADE...`.

Faces found in the pictures of the people 37 to 40 of ORL, twice as large, and boxes in the photographs that PHOTOS_TXT
lists, in which there is nobody, at several numbers of neighbours. A face counts as found when the centre of a box lies
within a quarter of its side of the middle of the face. Needs opencv-python-headless 4 and runs without IPP.
"""

import gzip
import pathlib
import sys
import tempfile

import cv2

cv2.ipp.setUseIPP(False)
cv2.ocl.setUseOpenCL(False)
orl, listing = map(pathlib.Path, sys.argv[1:3])
people = [path for person in range(37, 41) for path in sorted((orl / f"s{person}").glob("*.pgm"))]
photos = [listing.parent / line for line in listing.read_text().split()]
faces = [cv2.resize(cv2.imread(str(path), 0), None, fx=2, fy=2) for path in people]
empty = [cv2.imread(str(path), 0) for path in photos]
NEIGHBOURS = (0, 1, 2, 3, 5, 8)


def load(path):
    text = gzip.open(path).read() if path.endswith(".gz") else pathlib.Path(path).read_bytes()
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(text)
        file.flush()
        return cv2.CascadeClassifier(file.name)


def is_hit(box):
    x, y, w, h = box
    return max(abs(x + w / 2 - 92), abs(y + h / 2 - 124)) < w / 4


print("| cascade | | " + " | ".join(map(str, NEIGHBOURS)) + " |\n|---|---|" + "---:|" * len(NEIGHBOURS))
for path in sys.argv[3:]:
    cascade = load(path)
    assert not cascade.empty(), path
    hits = [sum(any(map(is_hit, cascade.detectMultiScale(f, 1.1, n))) for f in faces) for n in NEIGHBOURS]
    false = [sum(len(cascade.detectMultiScale(p, 1.1, n)) for p in empty) for n in NEIGHBOURS]
    name = pathlib.Path(path).name.split(".")[0]
    print(f"| `{name}` | faces of {len(faces)} | " + " | ".join(map(str, hits)) + " |")
    print(f"| | false alarms in {len(empty)} photographs | " + " | ".join(map(str, false)) + " |")
