"""Thresholds, morphology, parts and their measures beside OpenCV, scikit-image and SciPy."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

import cv2
import lyncean as ly
import numpy as np
import pytest
import scipy.ndimage as ndi
import skimage.feature
import skimage.measure
import skimage.segmentation
from conftest import Agreement, Array, compares
from lyncean import ops
from skimage import filters
from skimage.morphology import remove_small_objects

Pictures = Dict[str, Array]

TYPES = {
    "binary": cv2.THRESH_BINARY,
    "binary-inv": cv2.THRESH_BINARY_INV,
    "trunc": cv2.THRESH_TRUNC,
    "tozero": cv2.THRESH_TOZERO,
    "tozero-inv": cv2.THRESH_TOZERO_INV,
}


@compares("threshold")
@pytest.mark.parametrize("kind", TYPES)
def test_threshold(agreement: Agreement, pictures: Pictures, kind: str) -> None:
    for name, level in [("gray8", 100.7), ("gray8", -1.0), ("gray16", 20000.5), ("f32", 0.43)]:
        theirs = cv2.threshold(pictures[name], level, 255, TYPES[kind])[1]
        ours = ops.threshold(pictures[name], level=level, type=kind, masks="uint8")  # type: ignore[arg-type]
        if kind.startswith("binary"):
            theirs = theirs.astype(np.uint8)
        agreement.exact("threshold", "cv2.threshold", ours, theirs, str(pictures[name].dtype))


@compares("threshold", "try-thresholds", "multi-otsu")
def test_levels(agreement: Agreement, coins: Array) -> None:
    methods = ["otsu", "triangle", "li", "yen", "isodata", "mean"]
    sheet = ops.try_thresholds(coins, semantics="scikit-image")
    for method in methods:
        theirs = float(getattr(filters, "threshold_" + method)(coins))
        told = ops.threshold(coins, method=method, semantics="scikit-image")  # type: ignore[arg-type]
        bound = 1e-6 * 255 if method in ("li", "mean") else 0
        agreement.within("threshold", "skimage threshold_*", bound, told.level["level"], theirs, "uint8")
        agreement.within(
            "try-thresholds", "skimage threshold_*", bound, sheet.levels[method], theirs, "uint8"
        )
    for method, flag in {"otsu": cv2.THRESH_OTSU, "triangle": cv2.THRESH_TRIANGLE}.items():
        level, theirs = cv2.threshold(coins, 0, 255, flag)
        told = ops.threshold(coins, method=method)  # type: ignore[arg-type]
        assert told.level["level"] == level
        agreement.exact("threshold", "cv2.threshold", told.image, theirs, "uint8")
    for classes in (2, 3, 4):
        levels: List[float] = list(ops.multi_otsu(coins, classes=classes).levels.values())
        theirs = filters.threshold_multiotsu(coins, classes=classes)
        agreement.exact("multi-otsu", "skimage threshold_multiotsu", np.array(levels), theirs, "uint8")
    ours = ops.multi_otsu(coins, classes=3, output="labels").classes
    agreement.exact(
        "multi-otsu", "np.digitize", ours, np.digitize(coins, filters.threshold_multiotsu(coins), right=True)
    )


@compares("adaptive-threshold", "niblack", "sauvola", "hysteresis")
def test_local_thresholds(agreement: Agreement, pictures: Pictures) -> None:
    methods = {"mean": cv2.ADAPTIVE_THRESH_MEAN_C, "gaussian": cv2.ADAPTIVE_THRESH_GAUSSIAN_C}
    for size, offset in [(3, 0.0), (11, 2.5), (31, -3.2)]:
        for method, flag in methods.items():
            for inverted, kind in [(False, cv2.THRESH_BINARY), (True, cv2.THRESH_BINARY_INV)]:
                theirs = cv2.adaptiveThreshold(pictures["gray8"], 255, flag, kind, size, offset)
                ours = ops.adaptive_threshold(
                    pictures["gray8"],
                    method=method,  # type: ignore[arg-type]
                    size=size,
                    offset=offset,
                    inverted=inverted,
                )
                agreement.exact("adaptive-threshold", "cv2.adaptiveThreshold", ours, theirs, "uint8")
    for name in ("gray8", "gray16"):
        image = pictures[name]
        for sides in [(15, 15), (7, 11)]:
            window = sides[::-1]
            theirs = image > filters.threshold_niblack(image, window, 0.2)
            agreement.exact(
                "niblack",
                "skimage threshold_niblack",
                ops.niblack(image, size=sides, k=0.2),
                theirs,
                str(image.dtype),
            )
            theirs = image > filters.threshold_sauvola(image, window, 0.2)
            agreement.exact(
                "sauvola",
                "skimage threshold_sauvola",
                ops.sauvola(image, size=sides, k=0.2),
                theirs,
                str(image.dtype),
            )
    for name, low, high in [("gray8", 60, 150), ("gray16", 20000, 40000), ("f32", 0.3, 0.5)]:
        theirs = filters.apply_hysteresis_threshold(pictures[name], low, high)
        ours = ops.hysteresis(pictures[name], low=low, high=high)
        agreement.exact(
            "hysteresis", "skimage apply_hysteresis_threshold", ours, theirs, str(pictures[name].dtype)
        )


SHAPES = {"rect": cv2.MORPH_RECT, "cross": cv2.MORPH_CROSS, "ellipse": cv2.MORPH_ELLIPSE}
MORPHOLOGY = {
    "erode": cv2.MORPH_ERODE,
    "dilate": cv2.MORPH_DILATE,
    "open": cv2.MORPH_OPEN,
    "close": cv2.MORPH_CLOSE,
    "top-hat": cv2.MORPH_TOPHAT,
    "black-hat": cv2.MORPH_BLACKHAT,
    "morph-gradient": cv2.MORPH_GRADIENT,
}


@compares(*MORPHOLOGY)
@pytest.mark.parametrize("shape", SHAPES)
def test_morphology(agreement: Agreement, pictures: Pictures, shape: str) -> None:
    for op, flag in MORPHOLOGY.items():
        function: Any = getattr(ops, {"open": "open_"}.get(op, op.replace("-", "_")))
        for name, size, iterations in [
            ("gray8", (3, 3), 1),
            ("gray8", (7, 5), 2),
            ("gray16", (5, 5), 1),
            ("f32", (3, 5), 1),
        ]:
            element = cv2.getStructuringElement(SHAPES[shape], size)
            theirs = cv2.morphologyEx(pictures[name], flag, element, iterations=iterations)
            ours = function(pictures[name], shape=shape, size=size, iterations=iterations)
            agreement.exact(op, "cv2.morphologyEx", ours, theirs)


@compares("fill-holes", "clear-border", "remove-small", "distance-transform")
def test_masks(agreement: Agreement, parts: Array) -> None:
    agreement.exact(
        "fill-holes", "scipy binary_fill_holes", ops.fill_holes(parts), ndi.binary_fill_holes(parts), "mask"
    )
    theirs = remove_small_objects(parts, max_size=39, connectivity=2)
    agreement.exact(
        "remove-small", "skimage remove_small_objects", ops.remove_small(parts, min_area=40), theirs, "mask"
    )
    labels = skimage.measure.label(parts, connectivity=2)
    for margin in (0, 5):
        theirs = skimage.segmentation.clear_border(labels, buffer_size=margin) > 0
        agreement.exact(
            "clear-border", "skimage clear_border", ops.clear_border(parts, margin=margin), theirs, "mask"
        )
    theirs = ndi.distance_transform_edt(parts).astype(np.float32)
    agreement.exact(
        "distance-transform", "scipy distance_transform_edt", ops.distance_transform(parts), theirs, "mask"
    )


@compares("label")
@pytest.mark.parametrize("neighbours", [4, 8])
def test_label(agreement: Agreement, coins: Array, parts: Array, neighbours: int) -> None:
    ours = ops.label(parts, connectivity=neighbours)
    theirs = skimage.measure.label(parts, connectivity=neighbours // 4)
    agreement.exact("label", "skimage label", ours.labels, theirs, "mask")
    count, _, stats, _ = cv2.connectedComponentsWithStats(parts.astype(np.uint8), connectivity=neighbours)
    assert count == len(ours.objects) + 1
    table = ly.objects_table(ours.objects)
    boxes = np.stack([table["x"], table["y"], table["width"], table["height"], table["area"]], axis=1)
    order = np.lexsort(boxes.T)
    opencv = stats[1:].astype(float)
    agreement.exact(
        "label",
        "cv2.connectedComponentsWithStats",
        boxes[order],
        opencv[np.lexsort(opencv.T)],
        "boxes, areas",
    )
    regions = skimage.measure.regionprops(theirs)
    measures: Dict[str, Callable[[Any], float]] = {
        "centroid-x": lambda region: region.centroid[1],
        "axis-major-length": lambda region: region.axis_major_length,
        "eccentricity": lambda region: region.eccentricity,
    }
    for key, find in measures.items():
        wanted = np.array([find(region) for region in regions])
        agreement.within("label", "skimage regionprops", 1e-6, table[key], wanted, "measures")


@compares("contours")
def test_contours(agreement: Agreement, parts: Array) -> None:
    bytes_ = parts.astype(np.uint8) * 255
    for simplify, method in [(False, cv2.CHAIN_APPROX_NONE), (True, cv2.CHAIN_APPROX_SIMPLE)]:
        theirs, _ = cv2.findContours(bytes_, cv2.RETR_CCOMP, method)
        ours = ops.contours(parts, holes=True, simplify=simplify)
        peer = "cv2.findContours, without order"
        agreement.exact("contours", peer, _sorted([o["outline"] for o in ours]), _sorted(theirs), "mask")
        areas = np.sort([float(o["area"]) for o in ours])
        agreement.within(
            "contours", "cv2.contourArea", 1e-9, areas, np.sort([cv2.contourArea(c) for c in theirs]), "areas"
        )


def _sorted(outlines: Any) -> Array:
    """All points with the number of their line, the lines in an order of their own."""
    lines = sorted(
        sorted(map(tuple, np.asarray(line).reshape(-1, 2).astype(int).tolist())) for line in outlines
    )
    return np.array([(at, x, y) for at, line in enumerate(lines) for x, y in line])


@compares("watershed")
def test_watershed(agreement: Agreement, parts: Array) -> None:
    filled = remove_small_objects(ndi.binary_fill_holes(parts), max_size=99)
    distance = ndi.distance_transform_edt(filled)
    flood = (-distance).astype(np.float32)
    peaks = skimage.feature.peak_local_max(distance.astype(np.float32), min_distance=9, exclude_border=False)
    markers = np.zeros(filled.shape, np.int32)
    for index, (y, x) in enumerate(peaks):
        markers[y, x] = index + 1
    theirs = skimage.segmentation.watershed(flood, markers, mask=filled, connectivity=1)
    ours = ops.watershed(filled, markers, flood)
    agreement.exact(
        "watershed",
        "skimage watershed, up to the numbers",
        _renumbered(ours.labels),
        _renumbered(theirs),
        "mask",
    )


def _renumbered(labels: Array) -> Array:
    """Numbers in the order in which labels are first met, 0 for the background."""
    _, first, inverse = np.unique(labels.ravel(), return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    numbers = rank[inverse].reshape(labels.shape)
    return np.asarray(np.where(labels == 0, -1, numbers))
