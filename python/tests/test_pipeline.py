"""Pipelines: from files, texts and code, and what they give."""

from __future__ import annotations

import pickle
from pathlib import Path

import lyncean as ly
import numpy as np
import pytest
from conftest import ROOT, Array


def edges() -> ly.Pipeline:
    """A chain made in code."""
    return ly.Pipeline([ly.gray(), ly.gaussian_blur(sigma=1.4), ly.sobel(), ly.threshold(level=100)])


def test_code_and_text_are_one(tmp_path: Path) -> None:
    pipeline = edges()
    assert str(pipeline).startswith('version = 1\n\n[[stage]]\nuse = "gray"\n')
    path = tmp_path / "edges.toml"
    path.write_text(str(pipeline))
    picture = ly.builtin("astronaut")
    mask = pipeline(picture).output
    assert mask is not None and mask.dtype == bool
    for other in (
        ly.Pipeline.load(path),
        ly.Pipeline.load(str(path)),
        ly.Pipeline.from_toml(pipeline.to_toml()),
    ):
        np.testing.assert_array_equal(other(picture).output, mask)
    step = ly.ops.gaussian_blur(ly.ops.gray(picture), sigma=1.4)
    np.testing.assert_array_equal(ly.ops.threshold(ly.ops.sobel(step), level=100), mask)
    assert pipeline.stage_names == ["gray", "gaussian-blur", "sobel", "threshold"]
    assert "gaussian-blur" in repr(pipeline) and "gaussian-blur" in pipeline.explain("rgb8", 640, 480)


@pytest.mark.parametrize("path", sorted((ROOT / "pipelines").glob("*.toml")), ids=lambda path: path.stem)
def test_every_pipeline_that_ships_loads(path: Path) -> None:
    assert ly.Pipeline.load(path).stage_names == ly.Pipeline.load(f"builtin:{path.stem}").stage_names


def test_coins_are_counted(coins: Array) -> None:
    results = ly.Pipeline.load("builtin:coins")(coins)
    assert len(results["coins"].objects) == 24
    assert results["coins"].labels is None


def test_results_by_name(coins: Array) -> None:
    pipeline = ly.Pipeline(
        [ly.gaussian_blur(sigma=1), ly.threshold(method="otsu", name="mask"), ly.label(min_area=100)]
    )
    results = pipeline(coins)
    assert list(results) == ["mask", "label"] and len(results) == 2
    assert results["mask"].image is None and results["mask"].level["level"] > 0
    np.testing.assert_array_equal(results["label"].labels, results.output)
    with pytest.raises(KeyError, match="save="):
        results["gaussian-blur"]
    with pytest.raises(KeyError, match="there are `gaussian-blur`, `mask`, `label`"):
        results["blur"]
    kept = pipeline(coins, save=["gaussian-blur"])
    np.testing.assert_array_equal(kept["gaussian-blur"], ly.ops.gaussian_blur(coins, sigma=1))
    everything = pipeline(coins, save="all")
    assert everything["mask"].image.dtype == bool
    # The last stage's image is one array under both names.
    assert everything["label"].labels is everything.output
    assert pipeline(coins, save="all", masks="uint8")["mask"].image.dtype == np.uint8
    assert "not kept" in repr(results) and "bool" in repr(everything)
    with pytest.raises(ly.PipelineError, match="no stage `blur` to save"):
        pipeline(coins, save=["blur"])


def test_graphs(coins: Array) -> None:
    pipeline = ly.Pipeline(
        [
            ly.gaussian_blur(sigma=1, name="soft"),
            ly.gaussian_blur(sigma=5, name="softer", in_="input"),
            ly.difference(in_=["soft", "softer"]),
        ]
    )
    wanted = ly.ops.difference(ly.ops.gaussian_blur(coins, sigma=1), ly.ops.gaussian_blur(coins, sigma=5))
    np.testing.assert_array_equal(pipeline(coins).output, wanted)
    assert repr(ly.difference(in_=["soft", "softer"])) == "difference(in_=['soft', 'softer'])"
    assert ly.gray() == ly.gray() and ly.gray() != ly.gray(name="a") and len({ly.gray(), ly.gray()}) == 1


def test_alpha_is_split_off() -> None:
    rgb = ly.builtin("astronaut")
    alpha = np.zeros(rgb.shape[:2], np.uint8)
    alpha[50:100] = 255
    rgba = np.dstack([rgb, alpha])
    pipeline = ly.Pipeline([ly.fill_holes(in_="input.alpha")])
    np.testing.assert_array_equal(pipeline(rgba).output, alpha > 0)
    deep = np.dstack([rgb, alpha]).astype(np.uint16) * 257
    np.testing.assert_array_equal(pipeline(deep).output, alpha > 0)
    assert pipeline(rgb).output.all()  # type: ignore[union-attr]
    np.testing.assert_array_equal(ly.Pipeline([ly.gray()])(rgba).output, ly.ops.gray(rgb))


def test_a_stage_of_masks_does_not_read_the_alpha_unasked() -> None:
    # A colour picture does not fit `sobel`; its alpha, a mask, would.
    with pytest.raises(ly.ShapeError, match="the pipeline takes `gray8`"):
        ly.Pipeline([ly.sobel()])(ly.builtin("astronaut"))


def test_all_problems_are_told_with_carets() -> None:
    with pytest.raises(ly.PipelineError) as raised:
        ly.Pipeline.from_toml(
            'version = 1\n[[stage]]\nuse = "gary"\n[[stage]]\nuse = "sobel"\nsise = 3\n', name="bad.toml"
        )
    assert isinstance(raised.value, ValueError)
    first, second = raised.value.diagnostics
    assert "bad.toml:3:7" in first and "^^^^^^" in first and "did you mean `gray`" in first
    assert "`sise`" in second and second in str(raised.value)
    with pytest.raises(ly.PipelineError, match="stage `sobel` wants"):
        ly.Pipeline([ly.haar_detect(), ly.sobel()])


def test_wrong_ways_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file"):
        ly.Pipeline.load(tmp_path / "nowhere.toml")
    with pytest.raises(OSError):
        ly.Pipeline.load(tmp_path)
    with pytest.raises(ly.PipelineError, match="did you mean `coins`"):
        ly.Pipeline.load("builtin:coin")
    with pytest.raises(TypeError, match="not of str"):
        ly.Pipeline(["gray"])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="its parameters are: sigma"):
        ly.gaussian_blur(sgma=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="wants `kernel`"):
        ly.convolve()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="`save`"):
        edges()(ly.builtin("coins"), save=[3])  # type: ignore[list-item]


def test_pickled_and_copied(coins: Array, tmp_path: Path) -> None:
    ly.imwrite(tmp_path / "coin.png", coins[37:68, 40:71])
    (tmp_path / "find.toml").write_text(
        'version = 1\n[[stage]]\nuse = "match-template"\ntemplate = "coin.png"\n'
    )
    for pipeline in (
        ly.Pipeline.load(tmp_path / "find.toml"),
        ly.Pipeline([ly.match_template(template="coin.png")], base=tmp_path),
    ):
        again = pickle.loads(pickle.dumps(pipeline))
        assert again == pipeline and hash(again) == hash(pipeline) and again.name == pipeline.name
        assert again(coins)["match-template"].objects == pipeline(coins)["match-template"].objects
    with pytest.raises(ly.PipelineError, match="has no folder"):
        ly.Pipeline.from_toml((tmp_path / "find.toml").read_text())


def test_values_in_toml(tmp_path: Path) -> None:
    stage = ly.Stage(
        "x",
        {
            "a": True,
            "b": 1,
            "c": 1.5,
            "d": 'q"\\\n\x7fé',
            "e": [[1, 2.0]],
            "f": tmp_path,
            "g": {"k v": np.float32(2)},
            "h": np.eye(2),
        },
    )
    assert stage.to_toml() == (
        '[[stage]]\nuse = "x"\na = true\nb = 1\nc = 1.5\nd = "q\\"\\\\\\n\\u007fé"\ne = [[1, 2.0]]\n'
        f'f = "{tmp_path}"\ng = {{ "k v" = 2.0 }}\nh = [[1.0, 0.0], [0.0, 1.0]]\n'
    )
    with pytest.raises(TypeError, match="set"):
        ly.Stage("x", {"a": {1}}).to_toml()


def test_every_stage_of_code_is_what_its_example_says() -> None:
    for name in ly.ops.__all__:
        kind = ly._registry.kind(ly._registry.FUNCTIONS[name])
        assert kind.example.startswith(f'use = "{kind.name}"')


def test_notebooks_show_pictures_and_tables(coins: Array) -> None:
    pipeline = ly.Pipeline.load("builtin:coins")
    page = pipeline(coins, save="all")._repr_html_()
    assert page.count("data:image/png;base64,") >= 4
    assert "<th>area</th>" in page and "more</td>" in page
    assert "<b>coins</b>" in pipeline._repr_html_()
    gradient = ly.Pipeline([ly.sobel(output="gradient"), ly.gray(in_="input")])
    assert gradient(coins, save="all")._repr_html_().count("data:image/png") == 2
    odd = ly.Pipeline([ly.gray(name="<b>")])
    assert "<b><b>" not in odd(coins)._repr_html_() and "<b><b>" not in odd._repr_html_()
