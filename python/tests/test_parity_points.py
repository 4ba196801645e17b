"""Points, pixel by pixel, beside OpenCV, scikit-image and NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

import cv2
import lyncean as ly
import numpy as np
import pytest
from conftest import WHITE, Agreement, Array, compares, rounded
from lyncean import ops
from skimage import exposure, restoration

Pictures = Dict[str, Array]


@compares("gray")
def test_gray(agreement: Agreement, pictures: Pictures) -> None:
    for name in ("rgb8", "rgb16"):
        theirs = cv2.cvtColor(pictures[name], cv2.COLOR_RGB2GRAY)
        agreement.exact("gray", "cv2.cvtColor", ops.gray(pictures[name]), theirs)
    theirs = cv2.cvtColor(pictures["rgbf32"], cv2.COLOR_RGB2GRAY)
    agreement.within("gray", "cv2.cvtColor", 1.2e-7, ops.gray(pictures["rgbf32"]), theirs, "float32")
    # OpenCV's order turned round is a view; it is copied once.
    bgr = np.ascontiguousarray(pictures["rgb8"][..., ::-1])
    theirs = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    agreement.exact("gray", "cv2.cvtColor", ops.gray(bgr[..., ::-1]), theirs)


@compares("channel", "invert", "difference")
def test_plain_ones(agreement: Agreement, pictures: Pictures) -> None:
    for name in ("rgb8", "rgb16", "rgbf32"):
        for at, channel in enumerate(("red", "green", "blue")):
            ours = ops.channel(pictures[name], channel=channel)  # type: ignore[arg-type]
            agreement.exact("channel", "cv2.extractChannel", ours, cv2.extractChannel(pictures[name], at))
    for name in ("gray8", "rgb8", "gray16"):
        agreement.exact(
            "invert", "cv2.bitwise_not", ops.invert(pictures[name]), cv2.bitwise_not(pictures[name])
        )
    agreement.exact("invert", "NumPy", ops.invert(pictures["f32"]), np.float32(1) - pictures["f32"])
    for name in ("gray8", "rgb8", "gray16", "f32"):
        a, b = pictures[name], np.ascontiguousarray(pictures[name][::-1])
        agreement.exact("difference", "cv2.absdiff", ops.difference(a, b), cv2.absdiff(a, b))


@compares("arithmetic")
@pytest.mark.parametrize("name", ["gray8", "rgb8", "gray16", "f32"])
def test_arithmetic(agreement: Agreement, pictures: Pictures, name: str) -> None:
    a = pictures[name]
    b = np.ascontiguousarray(a[::-1, ::-1])
    is_float = a.dtype == np.float32
    small = {"uint8": 0.013, "uint16": 0.00007, "float32": 1.7}[a.dtype.name]
    same: Dict[str, Any] = {
        "add": cv2.add,
        "subtract": cv2.subtract,
        "min": cv2.min,
        "max": cv2.max,
        "multiply": cv2.multiply,
    }
    for operation, peer in same.items():
        ours = ops.arithmetic(a, b, operation=operation)  # type: ignore[arg-type]
        agreement.exact("arithmetic", "cv2." + peer.__name__, ours, peer(a, b))
    ours, theirs = ops.arithmetic(a, b, operation="multiply", scale=small), cv2.multiply(a, b, scale=small)
    _close(agreement, "cv2.multiply, scaled", 1.2e-7 if is_float else 0, ours, theirs, a)
    ours, theirs = ops.arithmetic(a, b, operation="average"), cv2.addWeighted(a, 0.5, b, 0.5, 0)
    _close(agreement, "cv2.addWeighted", 0, ours, theirs, a)
    ours = ops.arithmetic(a, b, operation="blend", weight=0.3)
    theirs = cv2.addWeighted(a, 0.7, b, 0.3, 0)
    _close(agreement, "cv2.addWeighted 0.7", 1.2e-7 if is_float else 1, ours, theirs, a)
    constant = {"uint8": 31, "uint16": 9001, "float32": 0.25}[a.dtype.name]
    ours = ops.arithmetic(a, operation="add", constant=constant)
    agreement.exact("arithmetic", "cv2.add, constant", ours, cv2.add(a, (constant,) * 4))


def _close(agreement: Agreement, peer: str, bound: float, ours: Array, theirs: Array, like: Array) -> None:
    types = f"{like.dtype} colour" if like.ndim == 3 else str(like.dtype)
    if bound:
        agreement.within("arithmetic", peer, bound, ours, theirs, types)
    else:
        agreement.exact("arithmetic", peer, ours, theirs)


@compares("gamma", "normalize", "equalize", "clahe")
def test_tones(agreement: Agreement, pictures: Pictures) -> None:
    for name, gamma, gain in [("gray8", 0.45, 1.0), ("rgb8", 2.2, 1.25), ("gray16", 0.7, 1.0)]:
        image, white = pictures[name], WHITE[pictures[name].dtype.name]
        theirs = exposure.adjust_gamma(image.astype(np.float64) / white, gamma, gain) * white
        ours = ops.gamma(image, gamma=gamma, gain=gain)
        agreement.exact("gamma", "skimage adjust_gamma, rounded", ours, rounded(theirs, image))
    theirs = exposure.adjust_gamma(pictures["f32"].astype(np.float64), 1.8, 0.9)
    agreement.within(
        "gamma",
        "skimage adjust_gamma",
        6e-8,
        ops.gamma(pictures["f32"], gamma=1.8, gain=0.9),
        theirs,
        "float32",
    )
    for name in ("gray8", "rgb8", "gray16", "f32"):
        image, white = pictures[name], WHITE[pictures[name].dtype.name]
        ours = ops.normalize(image, range=[0.2 * white, 0.7 * white]).image
        theirs = cv2.normalize(image, None, 0.2 * white, 0.7 * white, cv2.NORM_MINMAX)
        if name == "f32":
            agreement.within("normalize", "cv2.normalize", 1e-6, ours, theirs, "float32")
        else:
            agreement.exact("normalize", "cv2.normalize", ours, theirs)
    agreement.exact(
        "equalize", "cv2.equalizeHist", ops.equalize(pictures["gray8"]), cv2.equalizeHist(pictures["gray8"])
    )
    for name in ("gray8", "gray16"):
        for limit, tiles in [(40.0, (8, 8)), (2.0, (8, 8)), (3.5, (5, 3))]:
            theirs = cv2.createCLAHE(limit, tiles).apply(pictures[name])
            ours = ops.clahe(pictures[name], clip_limit=limit, tiles=tiles)
            agreement.exact("clahe", "cv2.createCLAHE", ours, theirs)


@compares("colormap", "mask-apply", "load")
def test_colours_masks_and_files(agreement: Agreement, pictures: Pictures, tmp_path: Path) -> None:
    gray = pictures["gray8"]
    names: List[Any] = ["viridis", "magma", "inferno", "plasma", "cividis", "turbo", "jet"]
    for name in names:
        theirs = cv2.applyColorMap(gray, getattr(cv2, "COLORMAP_" + name.upper()))[..., ::-1]
        agreement.exact("colormap", "cv2.applyColorMap", ops.colormap(gray, map=name), theirs)
    for name in ("gray8", "rgb8", "gray16", "f32"):
        image = pictures[name]
        mask = image.reshape(*image.shape[:2], -1)[..., 0] > np.median(image)
        theirs = cv2.copyTo(image, mask.astype(np.uint8))
        agreement.exact("mask-apply", "cv2.copyTo", ops.mask_apply(image, mask), theirs)
    for name in ("gray8", "rgb8", "gray16"):
        path = tmp_path / f"{name}.png"
        cv2.imwrite(
            str(path), np.ascontiguousarray(pictures[name][..., ::-1]) if "rgb" in name else pictures[name]
        )
        theirs = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert theirs is not None
        theirs = theirs[..., ::-1] if theirs.ndim == 3 else theirs
        agreement.exact("load", "cv2.imread, reversed", ops.load(file=path), theirs)


@compares("to-u8", "to-f32")
def test_conversions(agreement: Agreement, pictures: Pictures) -> None:
    gray, deep = pictures["gray8"], pictures["gray16"]
    agreement.exact("to-f32", "NumPy", ops.to_f32(gray), gray.astype(np.float32) * np.float32(1 / 255))
    agreement.exact(
        "to-f32", "NumPy", ops.to_f32(deep), deep.astype(np.float32) * np.float32(1 / 65535), "uint16"
    )
    wide = np.clip(np.rint(deep.astype(np.float32) * np.float32(1 / 257)), 0, 255).astype(np.uint8)
    agreement.exact("to-u8", "NumPy", ops.to_u8(deep), wide, "uint16")
    floats = np.clip(np.rint(pictures["f32"] * np.float32(255)), 0, 255).astype(np.uint8)
    agreement.exact("to-u8", "NumPy", ops.to_u8(pictures["f32"]), floats, "float32")


@compares("flat-field", "rolling-ball")
def test_light(agreement: Agreement, pictures: Pictures) -> None:
    for name in ("gray8", "gray16", "rgb8", "f32"):
        like = pictures[name]
        image, flat = like.astype(np.float64), like[::-1].astype(np.float64)
        mean = flat.mean(axis=(0, 1))
        # In the steps of f32: the mean, the gain, the product.
        gain = np.where(
            flat > 0, np.float32(mean) / np.maximum(flat, 1e-30).astype(np.float32), np.float32(0)
        )
        theirs = rounded(image.astype(np.float32) * gain.astype(np.float32), like)
        ours: Any = ops.flat_field(like, like[::-1]).image
        if name == "f32":
            agreement.within("flat-field", "NumPy", 4.8e-7, ours, theirs, "float32")
        else:
            agreement.exact("flat-field", "NumPy", ours, theirs)
    for name in ("gray8", "gray16", "f32"):
        for radius in (1.0, 7.5, 20.0):
            theirs = restoration.rolling_ball(pictures[name], radius=radius)
            ours = ops.rolling_ball(pictures[name], radius=radius, output="background")
            agreement.exact("rolling-ball", "skimage rolling_ball", ours, theirs)


def test_builtin_pictures_are_those_of_scikit_image_in_size() -> None:
    assert ly.builtin("astronaut").shape == (256, 256, 3)
