"""Geometry, detection and description beside OpenCV and scikit-image."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

import cv2
import lyncean as ly
import numpy as np
import pytest
import skimage
from conftest import BORDERS, ROOT, Agreement, Array, compares
from lyncean import ops
from skimage import feature, transform

Pictures = Dict[str, Array]


@compares("crop", "flip", "pad")
def test_moving_pixels(agreement: Agreement, pictures: Pictures) -> None:
    for name in ("gray8", "rgb8", "gray16", "rgb16", "f32", "rgbf32"):
        image = pictures[name]
        agreement.exact("crop", "NumPy", ops.crop(image, x=5, y=3, width=31, height=17), image[3:20, 5:36])
        for direction, flag in {"horizontal": 1, "vertical": 0, "both": -1}.items():
            ours = ops.flip(image, direction=direction)  # type: ignore[arg-type]
            agreement.exact("flip", "cv2.flip", ours, cv2.flip(image, flag))
        for border, flag in {**BORDERS, "wrap": cv2.BORDER_WRAP}.items():
            value = {"uint8": 77, "uint16": 7777, "float32": 0.5}[image.dtype.name]
            theirs = cv2.copyMakeBorder(image, 3, 10, 7, 1, flag, value=(value,) * 4)
            ours = ops.pad(image, top=3, bottom=10, left=7, right=1, border=border, border_value=value)  # type: ignore[arg-type]
            agreement.exact("pad", "cv2.copyMakeBorder", ours, theirs)


MODES = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "area": cv2.INTER_AREA,
    "bicubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}


@compares("resize")
@pytest.mark.parametrize("mode", MODES)
def test_resize(agreement: Agreement, pictures: Pictures, mode: str) -> None:
    for name in ("gray8", "rgb8", "gray16", "f32"):
        image = pictures[name]
        height, width = image.shape[:2]
        for size in [(23, 17), (43, 33), (97, 71)]:
            if mode == "area" and (size[0] > width or size[1] > height):
                agreement.differs(
                    "resize", "cv2.resize, area, growing", "refused; OpenCV takes another interpolation"
                )
                continue
            theirs = cv2.resize(image, size, interpolation=MODES[mode])
            ours = ops.resize(image, width=size[0], height=size[1], interpolation=mode)  # type: ignore[arg-type]
            is_exact = mode in ("nearest", "bilinear", "area") or (
                mode == "lanczos" and image.dtype == np.uint8
            )
            if is_exact:
                agreement.exact("resize", f"cv2.resize, {mode}", ours, theirs)
            else:
                bound = 1e-6 if name == "f32" else 1
                agreement.within("resize", f"cv2.resize, {mode}", bound, ours, theirs, str(image.dtype))


@compares("rotate", "warp-affine")
def test_turning(agreement: Agreement, pictures: Pictures) -> None:
    for name in ("gray8", "rgb8", "gray16", "f32"):
        for angle, flag in {
            90: cv2.ROTATE_90_COUNTERCLOCKWISE,
            180: cv2.ROTATE_180,
            270: cv2.ROTATE_90_CLOCKWISE,
        }.items():
            theirs = cv2.rotate(pictures[name], flag)
            agreement.exact("rotate", "cv2.rotate", ops.rotate(pictures[name], angle=angle), theirs)
    for degrees in (30.0, -17.5):
        image = pictures["f32"]
        theirs = transform.rotate(image.astype(np.float64), degrees, order=1, mode="constant", cval=0.25)
        ours = ops.rotate(image, angle=degrees, expand=False, interpolation="bilinear", border_value=0.25)
        agreement.within("rotate", "skimage rotate", 4e-4, ours, theirs, "float32")
    whole = [[0, 1, 3], [-1, 0, 40]]
    modes: Tuple[Any, ...] = ("nearest", "bilinear", "bicubic")
    for mode in modes:
        theirs = cv2.warpAffine(
            pictures["gray8"],
            np.array(whole, np.float64),
            (55, 45),
            flags=MODES[mode],
            borderMode=cv2.BORDER_REPLICATE,
        )
        ours = ops.warp_affine(
            pictures["gray8"], matrix=whole, width=55, height=45, interpolation=mode, border="replicate"
        )
        agreement.exact("warp-affine", "cv2.warpAffine, whole matrix", ours, theirs)
    matrix = [[0.9, 0.2, 3.3], [-0.15, 1.1, -2.7]]
    for name in ("gray8", "rgb8"):
        theirs = cv2.warpAffine(pictures[name], np.array(matrix), (55, 45))
        ours = ops.warp_affine(pictures[name], matrix=matrix, width=55, height=45, interpolation="bilinear")
        agreement.within("warp-affine", "cv2.warpAffine (1/32 pixel there)", 6, ours, theirs, str(ours.dtype))


@compares("match-template")
def test_match_template(agreement: Agreement, coins: Array, tmp_path: Path) -> None:
    template = coins[37:68, 40:71].copy()
    path = tmp_path / "coin.png"
    ly.imwrite(path, template)
    theirs = cv2.matchTemplate(coins, template, cv2.TM_SQDIFF)
    ours = ops.match_template(coins, template=path, method="squared-difference")
    least = np.maximum(theirs, 1)
    name = "cv2.matchTemplate, SQDIFF, relative"
    agreement.within("match-template", name, 1e-5, ours.scores / least, theirs / least, "uint8")
    best = ours.objects[0]
    assert best["box"][:2] == [40, 37] and best["score"] == 0
    theirs = cv2.matchTemplate(coins, template, cv2.TM_CCOEFF_NORMED)
    ours = ops.match_template(coins, template=path, method="correlation-coefficient-normed")
    agreement.within("match-template", "cv2.matchTemplate, CCOEFF_NORMED", 2e-4, ours.scores, theirs, "uint8")
    # A disc, so that the corners do not count.
    rows, columns = np.mgrid[0:31, 0:31]
    mask = (np.hypot(rows - 15, columns - 15) < 15).astype(np.uint8) * 255
    mask_path = tmp_path / "mask.png"
    ly.imwrite(mask_path, mask)
    for method, code in (
        ("squared-difference-normed", cv2.TM_SQDIFF_NORMED),
        ("cross-correlation-normed", cv2.TM_CCORR_NORMED),
        ("correlation-coefficient-normed", cv2.TM_CCOEFF_NORMED),
    ):
        # Ours are at most 1.
        theirs = np.minimum(cv2.matchTemplate(coins, template, code, mask=mask), 1)
        ours = ops.match_template(coins, template=path, mask=mask_path, method=method)  # type: ignore[arg-type]
        name = f"cv2.matchTemplate with a mask, {method}"
        agreement.within("match-template", name, 2e-4, ours.scores, theirs, "uint8")
    best = ours.objects[0]["box"]
    assert best[:2] == [40.0, 37.0]


@compares("haar-detect")
def test_haar(agreement: Agreement, tmp_path: Path) -> None:
    # The very files that ship: OpenCV reads what was trained here, calibrated or not.
    stock = tmp_path / "cascade.xml"
    stock.write_bytes(gzip.decompress((ROOT / "models" / "frontalface-default.xml.gz").read_bytes()))
    gray = ops.gray(ly.builtin("astronaut"))
    for path, name in ((stock, "frontalface-default"), (ROOT / "models" / "frontal-face.xml", "frontal-face")):
        for neighbours in (0, 3):
            theirs = cv2.CascadeClassifier(str(path)).detectMultiScale(gray, 1.1, neighbours)
            ours = ops.haar_detect(gray, cascade=f"builtin:{name}", scale_factor=1.1, min_neighbors=neighbours)
            assert len(ours) > 0
            boxes = [o["box"] for o in ours]
            agreement.exact("haar-detect", "cv2.CascadeClassifier", _rows(boxes), _rows(theirs), "uint8")
    assert ops.haar_detect(gray) == ours


#: All of OpenCV's cascades: its wheel has those of Haar features, the fixtures those of local binary patterns.
CASCADES = sorted((Path(cv2.__file__).parent / "data").glob("haarcascade_*.xml")) + sorted(
    (ROOT / "fixtures" / "golden" / "cascade" / "lbp").glob("*.xml.gz")
)


def _photographs() -> List[Array]:
    """Ten photographs, the larger ones at half their size."""
    folder = Path(skimage.__file__).parent / "data"
    names = ["astronaut", "camera", "chelsea", "clock_motion", "coffee", "coins", "page", "brick"]
    files = [folder / f"{name}.png" for name in names] + [folder / "rocket.jpg", folder / "motorcycle_left.png"]
    pictures = []
    for file in files:
        gray = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        assert gray is not None, file
        if max(gray.shape) > 400:
            gray = cv2.resize(gray, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        pictures.append(np.asarray(gray))
    return pictures


@compares("haar-detect")
def test_every_cascade_of_opencv(agreement: Agreement, tmp_path: Path) -> None:
    assert len(CASCADES) == 22
    photographs = _photographs()
    assert len(photographs) == 10
    raw = 0
    for cascade in CASCADES:
        path = cascade
        if cascade.suffix == ".gz":
            path = tmp_path / cascade.stem
            path.write_bytes(gzip.decompress(cascade.read_bytes()))
        theirs_of = cv2.CascadeClassifier(str(path))
        for gray in photographs:
            for neighbours in (0, 3):
                theirs = theirs_of.detectMultiScale(gray, 1.1, neighbours)
                ours = ops.haar_detect(gray, cascade=str(path), scale_factor=1.1, min_neighbors=neighbours)
                agreement.exact(
                    "haar-detect",
                    f"cv2.CascadeClassifier, {'patterns' if 'lbp' in path.name else 'Haar'}",
                    _rows([o["box"] for o in ours]),
                    _rows(theirs),
                    "uint8",
                )
                raw += len(ours) if neighbours == 0 else 0
    assert raw > 3000


def _rows(boxes: object) -> Array:
    rows = np.asarray(boxes, dtype=float).reshape(-1, 4)
    return np.asarray(rows[np.lexsort(rows.T)])


@compares("hog")
def test_hog(agreement: Agreement, pictures: Pictures) -> None:
    cases: Tuple[Tuple[str, Tuple[int, int], Tuple[int, int], str], ...] = (
        ("gray8", (8, 8), (3, 3), "L2-Hys"),
        ("gray8", (9, 13), (1, 2), "L1-sqrt"),
        ("gray16", (10, 12), (3, 3), "L2-Hys"),
    )
    for name, cell, block, norm in cases:
        theirs = feature.hog(pictures[name], pixels_per_cell=cell, cells_per_block=block, block_norm=norm)
        # Ours are (width, height), scikit-image's (rows, columns).
        ours = ops.hog(
            pictures[name],
            pixels_per_cell=cell[::-1],
            cells_per_block=block[::-1],
            block_norm=norm.lower(),  # type: ignore[arg-type]
        )
        agreement.within("hog", "skimage hog", 1e-5, ours, theirs, str(pictures[name].dtype))


def _digit() -> Array:
    """The first digit of the fixture."""
    return ly.imread(next(iter(sorted((ROOT / "fixtures" / "digits").rglob("*.png")))))


@compares("nearest-template", "classify-linear")
def test_classifiers(agreement: Agreement) -> None:
    digit = ops.gray(_digit())
    sheet = ops.gray(ly.imread(ROOT / "models" / "digit-templates.png")).astype(np.float64)
    side = sheet.shape[0]
    scores = []
    for at in range(sheet.shape[1] // side):
        template = sheet[:, at * side : (at + 1) * side]
        scores.append(np.corrcoef(template.ravel(), digit.astype(np.float64).ravel())[0, 1])
    told = ops.nearest_template(digit, templates="builtin:digit-templates", top=10)
    order = [int(entry["label"]) for entry in told]
    positive = [label for label in np.argsort(scores)[::-1].tolist() if scores[label] > 0]
    agreement.exact(
        "nearest-template",
        "np.corrcoef, order",
        np.array(order[: len(positive)]),
        np.array(positive),
        "uint8",
    )

    vector = ops.hog(digit, pixels_per_cell=4, cells_per_block=2)
    weights, bias, labels = _linear(ROOT / "models" / "digits-hog.safetensors")
    values = weights.astype(np.float64) @ vector + bias
    shares = np.exp(values - values.max()) / np.exp(values - values.max()).sum()
    told = ops.classify_linear(vector, model="builtin:digits-hog", top=10)
    ours = {entry["label"]: entry["p"] for entry in told}
    agreement.within(
        "classify-linear", "NumPy", 1e-6, np.array([ours[label] for label in labels]), shares, "vector"
    )


def _linear(path: Path) -> Tuple[Array, Array, list[str]]:
    """Weights, bias and labels of a linear model."""
    raw = path.read_bytes()
    size = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + size])
    arrays = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            kind = {"F32": np.float32, "F64": np.float64}[entry["dtype"]]
            arrays[name] = np.frombuffer(raw[8 + size + start : 8 + size + end], kind).reshape(entry["shape"])
    meta = header["__metadata__"]
    matrix = next(array for array in arrays.values() if array.ndim == 2)
    vector = next(array for array in arrays.values() if array.ndim == 1)
    return matrix, vector, json.loads(meta["linear-model"])["labels"]
