"""Training and comparing, with callbacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Tuple

import lyncean as ly
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
