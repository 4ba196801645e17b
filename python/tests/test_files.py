"""Pictures in files."""

from __future__ import annotations

from pathlib import Path
from typing import Dict

import cv2
import lyncean as ly
import numpy as np
import pytest
from conftest import ROOT, Array


def test_written_and_read(tmp_path: Path, pictures: Dict[str, Array]) -> None:
    for name, image in pictures.items():
        path = tmp_path / f"{name}.{'tif' if 'f32' in name else 'png'}"
        ly.imwrite(path, image)
        np.testing.assert_array_equal(ly.imread(path), image)
        np.testing.assert_array_equal(ly.imread(str(path)), image)
    ly.imwrite(tmp_path / "small.png", pictures["rgb8"], small=True)
    theirs = cv2.imread(str(tmp_path / "small.png"))
    assert theirs is not None
    np.testing.assert_array_equal(theirs[..., ::-1], pictures["rgb8"])
    mask = pictures["gray8"] > 100
    ly.imwrite(tmp_path / "mask.png", mask)
    np.testing.assert_array_equal(ly.imread(tmp_path / "mask.png"), np.where(mask, 255, 0))
    ly.imwrite(tmp_path / "a.jpg", pictures["rgb8"], quality=95)
    assert np.abs(ly.imread(tmp_path / "a.jpg").astype(int) - pictures["rgb8"]).mean() < 4


def test_alpha(tmp_path: Path, pictures: Dict[str, Array]) -> None:
    rgba = np.dstack([pictures["rgb8"], pictures["rgb8"][..., 0]])
    cv2.imwrite(str(tmp_path / "a.png"), cv2.cvtColor(rgba, cv2.COLOR_RGBA2BGRA))
    np.testing.assert_array_equal(ly.imread(tmp_path / "a.png"), rgba[..., :3])
    np.testing.assert_array_equal(ly.imread(tmp_path / "a.png", alpha=True), rgba)
    ly.imwrite(tmp_path / "b.png", pictures["gray8"])
    assert ly.imread(tmp_path / "b.png", alpha=True).ndim == 2
    with pytest.raises(ly.UnsupportedError, match="alpha"):
        ly.imwrite(tmp_path / "c.png", rgba)


def test_exif_is_honoured() -> None:
    turned = sorted((ROOT / "fixtures" / "files").glob("exif-*.jpg"))
    assert len(turned) >= 8
    for path in turned:
        ours, theirs = ly.imread(path), cv2.imread(str(path), cv2.IMREAD_ANYCOLOR)
        assert theirs is not None and ours.shape == theirs.shape, path.name
        # Decoders of JPEG differ a little.
        theirs = theirs[..., ::-1] if theirs.ndim == 3 else theirs
        assert np.abs(ours.astype(int) - theirs).mean() < 3, path.name


def test_what_cannot_be_read_or_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        ly.imread(tmp_path / "nowhere.png")
    assert isinstance(raised.value, ly.IoError)
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\nxx")
    with pytest.raises(ly.InputError):
        ly.imread(tmp_path / "torn.png")
    with pytest.raises(ly.UnsupportedError, match="JPEG"):
        ly.imwrite(tmp_path / "a.jpg", np.zeros((3, 3), bool))
    with pytest.raises(ValueError, match="no format"):
        ly.imwrite(tmp_path / "a.xyz", np.zeros((3, 3), np.uint8))


def test_builtins() -> None:
    for name in ("coins", "text", "camera", "astronaut", "cell", "deep-field"):
        theirs = cv2.imread(str(ROOT / "fixtures" / "pictures" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        assert theirs is not None
        np.testing.assert_array_equal(ly.builtin(name), theirs[..., ::-1] if theirs.ndim == 3 else theirs)
    with pytest.raises(ly.InputError, match="did you mean `coins`"):
        ly.builtin("coin")
