"""Pictures in files. Colours are RED, GREEN, BLUE here, where OpenCV has blue first."""

from __future__ import annotations

import os
from typing import Any, Optional

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _lyncean
from ._pipeline import StrPath

__all__ = ["builtin", "imread", "imwrite"]


def imread(path: StrPath, *, page: Optional[int] = None, alpha: bool = False) -> NDArray[Any]:
    """Reads a picture, upright (EXIF is honoured): PNG, JPEG, TIFF, BMP, PNM, WebP or GIF.

    Values stay what they are: 8 and 16 bit, floats, gray or RED, GREEN, BLUE. For OpenCV turn colours
    round: `picture[..., ::-1]`.

    Parameters
    ----------
    path : path
        The file; its content decides the format.
    page : int, optional
        Which picture of a TIFF of several, from 0. Without it there must be but one.
    alpha : bool
        Whether alpha comes as a fourth channel, in the depth of the picture. Gray becomes colour then.
    """
    made = _lyncean.imread(os.fspath(path), page, alpha)
    if not alpha:
        return made  # type: ignore[no-any-return]
    picture, plane = made
    if plane is None:
        return picture  # type: ignore[no-any-return]
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, axis=2)
    white = {"uint8": 255, "uint16": 65535}.get(str(picture.dtype), 1.0)
    plane = plane.astype(picture.dtype) * picture.dtype.type(white / 255)
    return np.concatenate([picture, plane[..., None]], axis=2)


def imwrite(path: StrPath, picture: ArrayLike, *, quality: int = 92, small: bool = False) -> None:
    """Writes a picture with its true values, in the format that the ending of the name says.

    Parameters
    ----------
    path : path
        `.png`, `.jpg` or `.tif`. Either the whole file appears, or nothing changes.
    picture : array
        Gray or RED, GREEN, BLUE; masks become 0 and 255. Floats and large labels want TIFF.
    quality : int
        Quality of JPEG, 1 to 100.
    small : bool
        Press PNG and TIFF as small as it gets, in many times the time.
    """
    _lyncean.imwrite(os.fspath(path), picture, quality, small)


def builtin(name: str) -> NDArray[np.uint8]:
    """A picture that comes along: `coins`, `text`, `camera`, `astronaut`, `cell`, `deep-field`."""
    return _lyncean.builtin(name)  # type: ignore[no-any-return]
