"""Arrays in and out: types, views, copies, masks, refusals."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import pydoc
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Dict, List

import lyncean as ly
import numpy as np
import pytest
from conftest import Array
from lyncean import _lyncean, ops

Pictures = Dict[str, Array]


def address(array: Array) -> int:
    """Where the first pixel lies."""
    return int(array.__array_interface__["data"][0])


def test_types_go_through(pictures: Pictures) -> None:
    for image in pictures.values():
        flipped = ops.flip(image, direction="vertical")
        assert flipped.dtype == image.dtype and flipped.flags.c_contiguous and flipped.flags.writeable
        np.testing.assert_array_equal(flipped, image[::-1])
    mask = pictures["gray8"] > 100
    assert ops.invert(mask).dtype == bool
    np.testing.assert_array_equal(ops.invert(mask), ~mask)
    labels = np.arange(12, dtype=np.int32).reshape(3, 4)
    assert ops.flip(labels).dtype == np.uint32
    np.testing.assert_array_equal(ops.flip(labels), labels[:, ::-1])


def test_arrays_without_gaps_are_read_in_place(pictures: Pictures) -> None:
    for name, image in pictures.items():
        assert _lyncean.pixels_at(image) == address(image), name
        assert _lyncean.pixels_at(image[5:]) == address(image[5:]), name
        assert _lyncean.pixels_at(image[::2]) != address(image), name
        assert _lyncean.pixels_at(image[:, 1:]) != address(image[:, 1:]), name
    labels = np.ones((5, 7), np.int32)
    assert _lyncean.pixels_at(labels) == address(labels)
    assert _lyncean.pixels_at(labels.astype(np.uint32)) != address(labels)


def test_results_own_their_pixels(pictures: Pictures) -> None:
    image = pictures["rgb8"].copy()
    blurred = ops.gaussian_blur(image, sigma=1)
    base: Any = blurred
    while isinstance(base.base, np.ndarray):
        base = base.base
    # The memory that Rust made is handed over: the array ends in a container of it, not in a copy of NumPy's own.
    assert base.base is not None and not isinstance(base.base, np.ndarray)
    assert address(base) == address(blurred)
    # What passes as it is, is a copy: two arrays never share pixels unasked.
    gray = pictures["gray8"].copy()
    same = ops.gray(gray)
    assert address(same) != address(gray)
    np.testing.assert_array_equal(same, gray)
    gray[:] = 0
    assert same.any()


def test_bool_masks_are_made_in_place(pictures: Pictures) -> None:
    mask = ops.threshold(pictures["gray8"], level=100)
    # The memory that the operation wrote, as it is.
    assert mask.dtype == bool and not mask.flags.owndata and mask.flags.writeable
    assert set(np.unique(mask.view(np.uint8))) == {0, 1}
    as_bytes = ops.threshold(pictures["gray8"], level=100, masks="uint8")
    np.testing.assert_array_equal(as_bytes, np.where(mask, 255, 0))
    with pytest.raises(ValueError, match="masks"):
        ops.threshold(pictures["gray8"], level=100, masks="int")  # type: ignore[arg-type]


def test_views_of_every_kind(pictures: Pictures) -> None:
    for image in (pictures["gray8"], pictures["rgb16"], pictures["f32"]):
        for view in (
            image[::2, ::3],
            image[::-1],
            image[3:, 5:],
            image[:, ::-1],
            np.swapaxes(image, 0, 1),
            np.asfortranarray(image),
        ):
            np.testing.assert_array_equal(ops.invert(view), ops.invert(np.ascontiguousarray(view)))
    rgb = pictures["rgb8"]
    np.testing.assert_array_equal(ops.gray(rgb[..., ::-1]), ops.gray(np.ascontiguousarray(rgb[..., ::-1])))
    np.testing.assert_array_equal(ops.invert(rgb[..., 1]), 255 - rgb[..., 1])
    read_only = pictures["gray8"].copy()
    read_only.flags.writeable = False
    np.testing.assert_array_equal(ops.invert(read_only), 255 - read_only)
    # Words at an odd address.
    raw = np.zeros(2 * 12 + 1, np.uint8)
    odd = raw[1:].view(np.uint16).reshape(3, 4)
    assert not odd.flags.aligned
    np.testing.assert_array_equal(ops.invert(odd), 65535 - odd)
    # One value over and over.
    np.testing.assert_array_equal(ops.invert(np.broadcast_to(np.uint8(7), (5, 6))), np.full((5, 6), 248))


def test_inputs_are_left_alone(pictures: Pictures) -> None:
    for name, image in pictures.items():
        before = image.copy()
        ops.gaussian_blur(image, sigma=2)
        np.testing.assert_array_equal(image, before, err_msg=name)
    mask = pictures["gray8"] > 99
    before = mask.copy()
    ops.fill_holes(mask)
    np.testing.assert_array_equal(mask, before)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (1, 1), (1, 7), (7, 1)])
def test_tiny_pictures(shape: tuple[int, int]) -> None:
    image = np.full(shape, 3, np.uint8)
    assert ops.invert(image).shape == shape
    assert ops.threshold(image, level=2).shape == shape
    assert ops.invert(np.zeros((*shape, 3), np.float32)).shape == (*shape, 3)


@pytest.mark.parametrize(
    "dtype", ["float64", "float16", "int64", "int16", "uint64", "int8", "complex64", ">u2", "U3", "O"]
)
def test_other_numbers_are_refused_with_what_to_do(dtype: str) -> None:
    with pytest.raises(TypeError, match="is not taken") as raised:
        ops.invert(np.zeros((3, 4), dtype))
    assert isinstance(raised.value, ly.ArrayError) and "hint:" in str(raised.value)


def test_other_shapes_are_refused_with_what_to_do() -> None:
    for shape, hint in [
        ((4,), "height and width"),
        ((4, 5, 1), r"\[\.\.\., 0\]"),
        ((4, 5, 4), "takes no alpha"),
        ((3, 4, 5), "moveaxis"),
    ]:
        with pytest.raises(ly.ShapeError, match=hint):
            ops.invert(np.zeros(shape, np.uint8))
    with pytest.raises(ly.ArrayError, match="two dimensions"):
        ops.invert(np.zeros((4, 5, 3), bool))
    with pytest.raises(ly.ArrayError, match="below 0"):
        ops.flip(np.full((2, 2), -1, np.int32))
    with pytest.raises(TypeError, match="a picture is an array, not int"):
        ops.invert(7)  # type: ignore[arg-type]


def test_wrong_kinds_are_refused_in_the_words_of_check(pictures: Pictures) -> None:
    with pytest.raises(ValueError) as raised:
        ops.sobel(pictures["rgb8"])
    assert str(raised.value) == (
        "stage `sobel` wants `gray8`, `gray16`, `gray-f32` or `mask`, but `image` gives `rgb8`\n"
        'hint: put `use = "gray"` between them'
    )
    assert isinstance(raised.value, ly.ShapeError)
    assert isinstance(raised.value, ly.Error) and raised.value.hint == 'put `use = "gray"` between them'
    with pytest.raises(ly.ShapeError, match="wants 2 inputs \\(first, second\\), got 1"):
        ops.difference(pictures["gray8"])  # type: ignore[call-arg]
    with pytest.raises(ly.Error):
        ops.difference(pictures["gray8"], pictures["rgb8"])


def test_wrong_parameters_are_refused(pictures: Pictures) -> None:
    gray = pictures["gray8"]
    with pytest.raises(TypeError, match="has no parameter `sise`\nhint: did you mean `size`"):
        ops.sobel(gray, sise=3)  # type: ignore[call-arg]
    with pytest.raises(ly.PipelineError, match='cannot be `"magnitud"`\nhint: did you mean `magnitude`'):
        ops.sobel(gray, output="magnitud")  # type: ignore[arg-type]
    with pytest.raises(ly.PipelineError, match="`sigma` of stage `gaussian-blur`") as raised:
        ops.gaussian_blur(gray, sigma=1000)
    assert len(raised.value.diagnostics) == 1
    with pytest.raises(ValueError, match="`sigma`: NaN is no finite number"):
        ops.gaussian_blur(gray, sigma=float("nan"))
    with pytest.raises(TypeError, match="`sigma`: set is no value"):
        ops.gaussian_blur(gray, sigma={1})  # type: ignore[arg-type]
    with pytest.raises(ly.PipelineError, match="no such file"):
        ops.match_template(gray, template="nowhere.png")


def test_numbers_of_numpy_are_parameters(pictures: Pictures) -> None:
    gray = pictures["gray8"]
    plain = ops.gaussian_blur(gray, sigma=1.5, size=5)
    np.testing.assert_array_equal(ops.gaussian_blur(gray, sigma=np.float32(1.5), size=np.int64(5)), plain)  # type: ignore[arg-type]
    kernel: Any = np.ones((3, 3), np.float32)
    listed = ops.convolve(gray, kernel=kernel.tolist())
    np.testing.assert_array_equal(ops.convolve(gray, kernel=kernel), listed)
    # `None` is as if nothing was said.
    np.testing.assert_array_equal(ops.sobel(gray, output=None), ops.sobel(gray))


def test_outputs_are_named_and_can_be_given_on(coins: Array) -> None:
    mask = coins > 150
    labelled = ops.label(mask, min_area=100)
    assert labelled._fields == ("labels", "objects") and labelled.labels.dtype == np.uint32
    assert {"box", "area", "centroid-x"} <= set(labelled.objects[0])
    again = pickle.loads(pickle.dumps(labelled))
    assert again.objects == labelled.objects and type(again) is type(labelled)
    drawn = ops.draw(coins, labelled.objects)
    assert drawn.shape == (*coins.shape, 3) and (drawn != coins[..., None]).any()
    # As `in = "label"` means it: the first output that fits, here the labels.
    np.testing.assert_array_equal(ops.draw(coins, labelled), ops.draw(coins, labelled.labels))
    both = ops.draw(coins, labelled.labels, labelled.objects)
    assert (both != drawn).any()
    with pytest.raises(ValueError, match="no `box`"):
        ops.draw(coins, [{"score": 1.0}])
    with pytest.raises(ValueError, match="expected 4 numbers, got 3"):
        ops.draw(coins, [{"box": [1, 2, 3]}])


def test_masks_of_opencv_are_taken_where_that_is_said(coins: Array) -> None:
    as_bytes = np.where(coins > 150, 255, 0).astype(np.uint8)
    np.testing.assert_array_equal(ops.fill_holes(as_bytes, masks="uint8") > 0, ops.fill_holes(coins > 150))
    with pytest.raises(ly.ShapeError, match="wants `mask`"):
        ops.fill_holes(as_bytes)
    with pytest.raises(ly.ShapeError, match="wants `mask`"):
        ops.fill_holes(coins, masks="uint8")


def test_objects_as_columns(coins: Array) -> None:
    objects = ops.label(coins > 150, min_area=100).objects
    table = ly.objects_table(objects)
    assert table["area"].tolist() == [o["area"] for o in objects]
    assert table["x"].tolist() == [o["box"][0] for o in objects]
    assert table["label"].tolist() == [o["label"] for o in objects]
    assert ly.objects_table([])["width"].shape == (0,)
    mixed = ly.objects_table([{"box": [0, 0, 1, 1], "score": 0.5}, {"box": [0, 0, 1, 1], "label": "a"}])
    assert np.isnan(mixed["score"][1]) and mixed["label"].tolist() == ["", "a"]


def test_objects_are_a_list_of_dicts_that_is_made_on_demand(coins: Array) -> None:
    objects: Any = ops.label(coins > 150, min_area=100).objects
    listed: Any = objects.tolist()
    assert type(listed) is list and type(listed[0]) is dict and len(objects) == len(listed) > 20
    assert objects == listed and listed == objects and not objects != listed and objects != listed[1:]
    assert list(objects) == listed and [*reversed(objects)] == listed[::-1] and repr(objects) == repr(listed)
    for index in (0, 7, -1, np.int64(3), slice(2, 9, 3), slice(None, None, -1), slice(9, 2)):
        assert objects[index] == listed[index]
    with pytest.raises(IndexError, match=f"no object 999 among {len(listed)}"):
        objects[999]
    with pytest.raises(IndexError):
        objects[-len(listed) - 1]
    assert isinstance(objects, Sequence) and isinstance(objects, ly.Objects) and listed[3] in objects
    assert objects + listed[:1] == listed + listed[:1] == listed + objects[:1]
    assert [1] + objects == [1, *listed]  # type: ignore[operator]
    assert objects.index(listed[4]) == 4 and objects.count(listed[4]) == 1 and {} not in objects
    assert pickle.loads(pickle.dumps(objects)) == copy.deepcopy(objects) == ly.Objects(listed) == objects
    assert json.loads(json.dumps(objects.tolist())) == listed and bool(objects) and not ly.Objects()
    # A dict is the caller's own.
    objects[0]["box"][0] = -1.0
    assert objects[0] == listed[0]
    with pytest.raises(TypeError, match="unhashable"):
        hash(objects)


def test_columns_of_objects(coins: Array) -> None:
    objects = ops.label(coins > 150, min_area=100).objects
    assert objects.keys()[:4] == ["x", "y", "width", "height"] and "area" in objects.keys()
    assert objects.column("area").tolist() == [o["area"] for o in objects]
    assert objects.column("height").tolist() == [o["box"][3] for o in objects]
    assert objects.column("label") == [o["label"] for o in objects]
    with pytest.raises(KeyError, match="no column `aera`; there are `x`, `y`"):
        objects.column("aera")
    mixed = ly.Objects([{"box": [0, 0, 1, 1], "a": 1, "b": 2}, {"box": [0, 0, 1, 1], "b": 3, "score": 0.5}])
    assert mixed.keys()[4:] == ["a", "b", "score"]
    np.testing.assert_array_equal(mixed.column("b"), [2, 3])
    np.testing.assert_array_equal(mixed.column("a"), [1, np.nan])
    np.testing.assert_array_equal(mixed.column("score"), [np.nan, 0.5])


def test_operations_are_functions_that_remember_their_keywords(pictures: Pictures) -> None:
    gray = pictures["gray8"]
    operation: Any = ops.gaussian_blur
    assert pickle.loads(pickle.dumps(operation)) is operation is copy.deepcopy(operation)
    assert inspect.isroutine(operation) and repr(operation) == "<operation lyncean.ops.gaussian_blur>"
    assert "Parameters" in pydoc.render_doc(operation) and "sigma: " in pydoc.render_doc(operation)

    class Holder:
        blur = operation

    np.testing.assert_array_equal(Holder().blur(gray, sigma=1.5), operation(gray, sigma=1.5))
    # Equal numbers of other types, and what is in a list, are told apart.
    for _ in range(3):
        assert ops.threshold(gray, level=100).sum() != ops.threshold(gray, level=101).sum()
        kernel: List[List[float]] = [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
        one = ops.convolve(gray, kernel=kernel)
        kernel[1][1] = 2.0
        np.testing.assert_array_equal(ops.convolve(gray, kernel=kernel), 2 * one)
        words = "".join(["magni", "tude"])
        np.testing.assert_array_equal(ops.sobel(gray, output=words), ops.sobel(gray, output="magnitude"))  # type: ignore[arg-type]
        with pytest.raises(ly.PipelineError, match="size"):
            ops.median(gray, size=True)
        assert ops.median(gray, size=1).shape == gray.shape
    keywords = {"".join(["mas", "ks"]): "uint8", "".join(["lev", "el"]): 100}
    assert ops.threshold(gray, **keywords).dtype == np.uint8  # type: ignore[arg-type]
    for level in range(20):
        np.testing.assert_array_equal(ops.threshold(gray, level=level), gray > level)


def test_memory_of_an_array_is_not_given_away_while_it_lives(pictures: Pictures) -> None:
    gray = pictures["gray8"]
    kept = [ops.invert(gray) for _ in range(12)]
    parts = [ops.invert(gray)[2:5] for _ in range(12)]
    for _ in range(20):
        ops.threshold(gray, level=50, masks="uint8")
        ops.invert(gray).fill(9)
    assert all((one == 255 - gray).all() for one in kept)
    assert all((part == 255 - gray[2:5]).all() for part in parts)


def test_what_offers_an_array_is_taken(pictures: Pictures) -> None:
    class Offers:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
            return pictures["gray8"]

    offered: Any = Offers()
    np.testing.assert_array_equal(ops.invert(offered), ops.invert(pictures["gray8"]))


def test_threads_change_nothing(coins: Array) -> None:
    for threads in (1, 2, 3):
        np.testing.assert_array_equal(
            ops.gaussian_blur(coins, sigma=3, threads=threads), ops.gaussian_blur(coins, sigma=3)
        )


def test_files_that_parameters_name_are_read_again(
    coins: Array, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ly.imwrite("template.png", coins[37:68, 40:71])
    assert ops.match_template(coins, template="template.png").objects[0]["box"][:2] == [40.0, 37.0]
    ly.imwrite("template.png", coins[98:129, 115:150])
    assert ops.match_template(coins, template="template.png").objects[0]["box"][:2] == [115.0, 98.0]


def test_templates_come_in_lists_and_turned(coins: Array, tmp_path: Path) -> None:
    ly.imwrite(tmp_path / "a.png", coins[37:68, 40:71])
    ly.imwrite(tmp_path / "b.png", coins[98:129, 115:150])
    templates: List[Any] = [tmp_path / "a.png", {"file": tmp_path / "b.png", "label": "b"}]
    found = ops.match_template(coins, template=templates, label="a", threshold=0.99).objects
    places = {(thing["label"], tuple(thing["box"][:2])) for thing in found}
    assert places == {("a", (40.0, 37.0)), ("b", (115.0, 98.0))}
    turned = np.ascontiguousarray(np.rot90(coins))
    angles = {"min": 0, "max": 270, "step": 90}
    found = ops.match_template(turned, template=tmp_path / "b.png", angles=angles, threshold=0.99).objects
    # A quarter counter-clockwise: what was at the right is at the top.
    left, top = 98.0, coins.shape[1] - 150.0
    assert (found[0]["box"], found[0]["angle"]) == ([left, top, 31.0, 35.0], 90.0)
