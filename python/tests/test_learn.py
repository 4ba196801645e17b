"""Training, comparing and predicting, with callbacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

import lyncean as ly
import numpy as np
import pytest
from conftest import ROOT

DIGITS = ROOT / "fixtures" / "digits"


class Enough(Exception):
    """Raised by callbacks that stop the work."""


def test_compare_tells_accuracies_and_progress() -> None:
    seen: List[Tuple[int, int]] = []
    pipelines: List[Any] = [
        "builtin:digits-template",
        ly.Pipeline.load("builtin:digits-lenet"),
        ROOT / "pipelines" / "digits-hog.toml",
    ]
    told = ly.compare(
        pipelines, DIGITS, limit=50, repeats=1, progress=lambda done, of: seen.append((done, of))
    )
    assert told["images"] == 50 and seen == [(at, 50) for at in range(1, 51)]
    assert [entry["name"] for entry in told["pipelines"]][:2] == [
        "builtin:digits-template",
        "builtin:digits-lenet",
    ]
    assert told["pipelines"][1]["accuracy"] == 1.0 and len(told["pairs"]) == 3
    json.dumps(told)


def test_a_callback_that_raises_stops_the_work(tmp_path: Path) -> None:
    calls = []

    def stop(done: int, of: int) -> None:
        calls.append(done)
        if done == 3:
            raise Enough("three will do")

    with pytest.raises(Enough, match="three will do"):
        ly.compare(["builtin:digits-template"], DIGITS, progress=stop)
    assert len(calls) <= 4
    with pytest.raises(Enough):
        ly.train_linear("builtin:digits-hog", DIGITS / "test", tmp_path / "a.safetensors", progress=stop)
    assert not (tmp_path / "a.safetensors").exists()


def test_train_linear(tmp_path: Path) -> None:
    out = tmp_path / "model.safetensors"
    told = ly.train_linear(
        ly.Pipeline.load("builtin:digits-hog"), DIGITS / "test", out, method="svm", max_iterations=200
    )
    assert told["training"]["accuracy"] > 0.95 and told["features"] == 1296 and told["test"] is None
    digit = ly.imread(sorted((DIGITS / "test").rglob("*.png"))[0])
    vector = ly.ops.hog(ly.ops.gray(digit), pixels_per_cell=4, cells_per_block=2)
    assert (
        ly.ops.classify_linear(vector, model=out)[0]["label"]
        == sorted((DIGITS / "test").rglob("*.png"))[0].parent.name
    )
    with pytest.raises(ValueError, match="`method`"):
        ly.train_linear("builtin:digits-hog", DIGITS / "test", out, method="forest")


def test_train_net(tmp_path: Path) -> None:
    steps: List[Tuple[int, int]] = []
    epochs: List[Dict[str, Any]] = []
    told = ly.train_net(
        "lenet5",
        DIGITS / "test",
        tmp_path / "run",
        epochs=2,
        batch=50,
        seed=3,
        augment=True,
        progress=lambda done, of: steps.append((done, of)),
        on_epoch=epochs.append,
    )
    assert steps[-1][0] == steps[-1][1] == len(steps)
    assert [report["epoch"] for report in epochs] == [1, 2] and told["epochs"] == epochs
    assert Path(told["best"]).exists()
    digit = ly.imread(sorted((DIGITS / "test").rglob("*.png"))[0])
    assert len(ly.ops.classify(digit, model=told["best"], top=3)) == 3
    with pytest.raises(ly.PipelineError, match="epoch"):
        ly.train_net("lenet5", DIGITS / "test", tmp_path / "other", epoch=2)

    def stop(done: int, of: int) -> None:
        raise Enough

    with pytest.raises(Enough):
        ly.train_net("lenet5", DIGITS / "test", tmp_path / "third", epochs=2, progress=stop)


def test_predict_tells_what_the_stages_tell() -> None:
    paths = sorted((DIGITS / "test").rglob("*.png"))[::40]
    digits = [ly.imread(path) for path in paths]
    told = ly.predict("builtin:lenet5", digits, top=2)
    for path, digit, one in zip(paths, digits, told):
        (wanted, _), classes = (ly.ops.classify(digit, model="builtin:lenet5", top=2), one["classes"])
        assert [entry["label"] for entry in classes][0] == wanted["label"] == path.parent.name
        assert len(classes) == 2 and abs(classes[0]["p"] - wanted["p"]) < 1e-5
    # Paths, words, and one alone.
    assert ly.predict("builtin:lenet5", paths, top=2) == told
    assert ly.predict("builtin:lenet5", str(paths[0]), top=2) == told[0]
    assert len(ly.predict("builtin:lenet5", digits[0])["classes"]) == 3
    photo = ly.builtin("coins")
    with pytest.raises(ly.ShapeError, match="input 1"):
        ly.predict("builtin:lenet5", [digits[0], photo])
    assert len(ly.predict("builtin:lenet5", photo, resize=True, top=20)["classes"]) == 10
    with pytest.raises(ly.PipelineError, match="lenet5"):
        ly.predict("builtin:lenet6", photo)
    with pytest.raises(TypeError, match="an array, a path or a sentence, got int"):
        ly.predict("builtin:lenet5", 3)
    with pytest.raises(ValueError, match="`top`"):
        ly.predict("builtin:lenet5", photo, top=0)


def test_predict_gives_the_classes_of_pixels() -> None:
    photo = ly.builtin("coins")
    told = ly.predict("builtin:coins-unet", photo)
    mask, _ = ly.ops.segment_net(photo, model="builtin:coins-unet")
    assert told["labels"].dtype == bool and told["labels"].shape == photo.shape
    # Tiles and sums in another order move hardly a pixel.
    assert (told["labels"] != mask).mean() < 1e-4
    shares = {entry["label"]: entry["share"] for entry in told["classes"]}
    assert len(shares) == 2 and abs(sum(shares.values()) - 1) < 1e-6
    assert any(abs(share - told["labels"].mean()) < 1e-6 for share in shares.values())
    assert ly.predict("builtin:coins-unet", photo, masks="uint8")["labels"].max() == 255


def test_train_net_on_masks(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for part, count in [("train", 6), ("test", 2)]:
        for folder in ["images", "masks"]:
            (tmp_path / part / folder).mkdir(parents=True)
        for number in range(count):
            mask = np.zeros((32, 32), np.uint8)
            x, y = rng.integers(0, 20, 2)
            mask[y : y + 12, x : x + 12] = 255
            noise = rng.integers(0, 60, mask.shape)
            ly.imwrite(tmp_path / part / "images" / f"{number}.png", (mask // 2 + noise).astype(np.uint8))
            ly.imwrite(tmp_path / part / "masks" / f"{number}.png", mask)
    net = tmp_path / "net.toml"
    net.write_text(
        "version = 1\nname = \"pixels\"\ninput = [1, 32, 32]\nmean = [0.25]\nstd = [0.25]\n"
        "[[layer]]\nuse = \"conv2d\"\nout = 4\nkernel = 3\npadding = 1\n[[layer]]\nuse = \"relu\"\n"
        "[[layer]]\nuse = \"conv2d\"\nout = 2\nkernel = 1\n",
        encoding="utf-8",
    )
    settings: Dict[str, Any] = {"epochs": 12, "batch": 2, "lr": 0.2, "loss": "dice", "validation": 0.2}
    told = ly.train_net(net, tmp_path, tmp_path / "run", **settings)
    assert told["test"]["mean_iou"] > 0.8, told["test"]
    assert told["epochs"][-1]["validation_dice"] > told["epochs"][-1]["validation_iou"] > 0.5
    picture = tmp_path / "test" / "images" / "0.png"
    labels = ly.predict(told["best"], picture)["labels"]
    wanted = ly.imread(tmp_path / "test" / "masks" / "0.png") > 0
    assert (labels == wanted).mean() > 0.9
