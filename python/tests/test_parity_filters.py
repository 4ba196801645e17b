"""Filters beside OpenCV, scikit-image and SciPy, at several borders."""

from __future__ import annotations

from typing import Dict, Literal, Tuple

import cv2
import numpy as np
import pytest
import scipy.ndimage as ndi
from conftest import BORDERS, Agreement, Array, compares
from lyncean import ops
from skimage import filters

Pictures = Dict[str, Array]
Border = Literal["constant", "replicate", "reflect", "reflect-101"]


@compares("gaussian-blur")
@pytest.mark.parametrize("border", BORDERS)
def test_gaussian(agreement: Agreement, pictures: Pictures, border: Border) -> None:
    for name in ("gray8", "rgb8", "gray16"):
        for size, sigma in [(3, 0.8), (5, 1.1), (9, 2.2)]:
            theirs = cv2.GaussianBlur(pictures[name], (size, size), sigma, borderType=BORDERS[border])
            ours = ops.gaussian_blur(pictures[name], size=size, sigma=sigma, border=border)
            agreement.exact("gaussian-blur", "cv2.GaussianBlur", ours, theirs)
    theirs = cv2.GaussianBlur(pictures["f32"], (9, 9), 2.2, borderType=BORDERS[border])
    ours = ops.gaussian_blur(pictures["f32"], size=9, sigma=2.2, border=border)
    agreement.within("gaussian-blur", "cv2.GaussianBlur", 2.4e-7, ours, theirs, "float32")
    agreement.differs("gaussian-blur", "cv2.GaussianBlur, sigma alone", "one window for all types")


@compares("box-blur", "median")
def test_means_and_medians(agreement: Agreement, pictures: Pictures) -> None:
    for name in ("gray8", "rgb8", "gray16", "f32"):
        for size in [(3, 3), (15, 15), (7, 3), (1, 9)]:
            theirs = cv2.blur(pictures[name], size)
            ours = ops.box_blur(pictures[name], size=size)
            if name == "f32":
                agreement.within("box-blur", "cv2.blur", 2.4e-7, ours, theirs, "float32")
            elif name == "gray16":
                # OpenCV multiplies by a rounded 1/225: near a half it misses the nearest, ours does not.
                agreement.within("box-blur", "cv2.blur", 1, ours, theirs, "uint16")
                agreement.exact("box-blur", "NumPy", ours, _means(pictures[name], size))
            else:
                agreement.exact("box-blur", "cv2.blur", ours, theirs)
        for odd in (3, 5):
            agreement.exact(
                "median",
                "cv2.medianBlur",
                ops.median(pictures[name], size=odd),
                cv2.medianBlur(pictures[name], odd),
            )
    for odd in (7, 15, 31):
        ours, theirs = ops.median(pictures["rgb8"], size=odd), cv2.medianBlur(pictures["rgb8"], odd)
        agreement.exact("median", "cv2.medianBlur", ours, theirs)


def _means(image: Array, size: Tuple[int, int]) -> Array:
    """Means of windows of an odd number of pixels, in whole numbers."""
    width, height = size
    padded = np.pad(image.astype(np.int64), ((height // 2,) * 2, (width // 2,) * 2), mode="reflect")
    sums = np.lib.stride_tricks.sliding_window_view(padded, (height, width)).sum((2, 3))
    count = width * height
    means: Array = ((2 * sums + count) // (2 * count)).astype(image.dtype)
    return means


@compares("sobel", "scharr", "prewitt")
@pytest.mark.parametrize("border", BORDERS)
def test_derivatives(agreement: Agreement, pictures: Pictures, border: Border) -> None:
    flag = BORDERS[border]
    for name in ("gray8", "gray16"):
        for size in (3, 5):
            for output, (i, j) in {"dx": (1, 0), "dy": (0, 1)}.items():
                theirs = cv2.Sobel(pictures[name], cv2.CV_32F, i, j, ksize=size, borderType=flag)
                ours = ops.sobel(pictures[name], size=size, output=output, border=border)  # type: ignore[arg-type]
                agreement.exact("sobel", "cv2.Sobel", ours, theirs, str(pictures[name].dtype))
    theirs = cv2.Sobel(pictures["f32"], cv2.CV_32F, 0, 1, ksize=5, borderType=flag)
    ours = ops.sobel(pictures["f32"], size=5, output="dy", border=border)
    agreement.within("sobel", "cv2.Sobel", 8e-6, ours, theirs, "float32")
    dx, dy = (cv2.Sobel(pictures["gray8"], cv2.CV_32F, i, 1 - i, borderType=flag) for i in (1, 0))
    ours = ops.sobel(pictures["gray8"], size=3, output="magnitude", border=border)
    agreement.within("sobel", "cv2.magnitude", 1.3e-4, ours, cv2.magnitude(dx, dy), "uint8")
    gradient = ops.sobel(pictures["gray8"], output="gradient", border=border)
    agreement.exact("sobel", "cv2.Sobel, both", gradient.dx.astype(np.float32), dx, "uint8")
    agreement.exact("sobel", "cv2.Sobel, both", gradient.dy.astype(np.float32), dy, "uint8")
    for output, (i, j) in {"dx": (1, 0), "dy": (0, 1)}.items():
        theirs = cv2.Scharr(pictures["gray8"], cv2.CV_32F, i, j, borderType=flag)
        ours = ops.scharr(pictures["gray8"], output=output, border=border)  # type: ignore[arg-type]
        agreement.exact("scharr", "cv2.Scharr", ours, theirs, "uint8")
    if border == "reflect":
        for output, find in {"dx": filters.prewitt_v, "dy": filters.prewitt_h}.items():
            theirs = 3 * find(pictures["gray8"].astype(np.float64))
            ours = ops.prewitt(pictures["gray8"], output=output, border=border)  # type: ignore[arg-type]
            agreement.within("prewitt", "3 x skimage prewitt", 1e-3, ours, theirs, "uint8")


@compares("laplacian", "log")
def test_second_derivatives(agreement: Agreement, pictures: Pictures) -> None:
    for size in (1, 3, 5, 7):
        theirs = cv2.Laplacian(pictures["gray8"], cv2.CV_32F, ksize=size)
        agreement.exact(
            "laplacian", "cv2.Laplacian", ops.laplacian(pictures["gray8"], size=size), theirs, "uint8"
        )
    theirs = cv2.Laplacian(pictures["f32"], cv2.CV_32F, ksize=3)
    agreement.within(
        "laplacian", "cv2.Laplacian", 2e-5, ops.laplacian(pictures["f32"], size=3), theirs, "float32"
    )
    for name, bound in [("gray8", 1e-4), ("gray16", 3e-2), ("f32", 1e-6)]:
        for sigma in (1.0, 2.3):
            theirs = ndi.gaussian_laplace(pictures[name].astype(np.float64), sigma)
            ours = ops.log(pictures[name], sigma=sigma)
            agreement.within("log", "scipy gaussian_laplace", bound, ours, theirs, str(pictures[name].dtype))


@compares("convolve")
def test_convolution(agreement: Agreement, pictures: Pictures) -> None:
    rng = np.random.default_rng(7)
    for name in ("gray8", "rgb8", "gray16"):
        for border, flag in BORDERS.items():
            kernel = rng.integers(-3, 4, (5, 4)).astype(np.float32)
            theirs = cv2.filter2D(pictures[name], cv2.CV_32F, kernel, anchor=(1, 3), borderType=flag)
            ours = ops.convolve(pictures[name], kernel=kernel, anchor=[1, 3], border=border)  # type: ignore[arg-type]
            agreement.exact(
                "convolve", "cv2.filter2D, whole weights", ours, theirs, str(pictures[name].dtype)
            )
            theirs = cv2.filter2D(pictures[name], -1, kernel, anchor=(1, 3), borderType=flag)
            ours = ops.convolve(
                pictures[name],
                kernel=kernel.tolist(),
                anchor=[1, 3],
                border=border,  # type: ignore[arg-type]
                output="same",
            )
            agreement.exact("convolve", "cv2.filter2D, whole weights", ours, theirs)
    smooth = rng.random((5, 5)).astype(np.float32) / 12
    theirs = cv2.filter2D(pictures["f32"], -1, smooth)
    ours = ops.convolve(pictures["f32"], kernel=smooth.tolist())
    agreement.within("convolve", "cv2.filter2D", 5e-7, ours, theirs, "float32")
    flipped = cv2.filter2D(pictures["gray8"], cv2.CV_32F, cv2.flip(kernel, -1), anchor=(4 - 1 - 1, 5 - 1 - 2))
    ours = ops.convolve(pictures["gray8"], kernel=kernel.tolist(), anchor=[1, 2], flip=True)
    agreement.exact("convolve", "cv2.filter2D, flipped", ours, flipped, "uint8")


@compares("canny")
def test_canny(agreement: Agreement, pictures: Pictures) -> None:
    for low, high, size, norm in [
        (50, 150, 3, "l1"),
        (50, 150, 3, "l2"),
        (300.5, 900.5, 5, "l2"),
        (0, 0, 3, "l1"),
    ]:
        theirs = cv2.Canny(pictures["gray8"], low, high, apertureSize=size, L2gradient=norm == "l2")
        ours = ops.canny(pictures["gray8"], low=low, high=high, size=size, norm=norm, masks="uint8")  # type: ignore[arg-type]
        agreement.exact("canny", "cv2.Canny", ours, theirs)


@compares("integral")
def test_integral(agreement: Agreement, pictures: Pictures) -> None:
    small = pictures["gray8"][:29, :37].copy()
    ours = ops.integral(small)
    theirs = cv2.integral(small)
    trimmed = theirs if ours.shape == theirs.shape else theirs[1:, 1:]
    agreement.exact("integral", "cv2.integral", ours, trimmed.astype(np.float32), "uint8")
