"""Training, comparing and predicting. A callback that raises stops the work, and so does Ctrl-C."""

from __future__ import annotations

import json
import os
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Union, overload

from . import _lyncean
from ._pipeline import Pipeline, StrPath

__all__ = ["compare", "predict", "train_linear", "train_net"]

Progress = Callable[[int, int], object]


def _source(pipeline: Union[Pipeline, StrPath]) -> Any:
    return pipeline._core if isinstance(pipeline, Pipeline) else os.fspath(pipeline)


def train_net(
    net: StrPath,
    data: StrPath,
    out: StrPath,
    *,
    init_from: Optional[StrPath] = None,
    resume: bool = False,
    augment: Union[bool, Mapping[str, Any], None] = None,
    progress: Optional[Progress] = None,
    on_epoch: Optional[Callable[[Dict[str, Any]], object]] = None,
    **settings: Any,
) -> Dict[str, Any]:
    """Trains a net on IDX files (such as MNIST's), on folders of pictures, one a class, or on pictures with masks.

    Parameters
    ----------
    net : path
        A net file, or the name of a built-in net.
    data : path
        A folder with IDX files, class folders, or `images` with `masks`, in `train` and `test` where there is a split.
    out : path
        The run directory: architecture, settings, `metrics.csv`, `curves.svg`, an events file for TensorBoard,
        `best.safetensors`, `last.safetensors`.
    init_from : path
        Weights to begin with: what the net has too, by name and shape, is taken.
    resume : bool
        Go on where a run with the same settings stopped; the end is the same, bit for bit.
    augment : bool or dict
        Shift, turn and scale training pictures a little at random.
    progress : callable
        Told `(done, total)` steps.
    on_epoch : callable
        Told a dict with the losses and accuracies of each epoch.
    **settings
        `epochs`, `batch`, `lr`, `schedule`, `momentum`, `nesterov`, `weight_decay`, `validation`, `seed`, `threads`.

    Returns
    -------
    dict
        `best` (the path of the best weights), `best_epoch`, `epochs`, and `test` where the data has a test split: with masks
        `mean_iou` and the `accuracy` of pixels.
    """
    given = {key.replace("_", "-"): value for key, value in settings.items() if value is not None}
    if augment:
        given["augment"] = {} if augment is True else dict(augment)
    hear = None if on_epoch is None else (lambda report: on_epoch(json.loads(report)))
    told = _lyncean.train_net(
        os.fspath(net),
        os.fspath(data),
        os.fspath(out),
        json.dumps(given),
        None if init_from is None else os.fspath(init_from),
        resume,
        progress,
        hear,
    )
    return _dict(told)


def train_linear(
    pipeline: Union[Pipeline, StrPath],
    data: StrPath,
    out: StrPath,
    *,
    method: str = "logistic",
    c: Optional[float] = None,
    max_iterations: Optional[int] = None,
    tolerance: Optional[float] = None,
    seed: Optional[int] = None,
    threads: int = 0,
    progress: Optional[Progress] = None,
) -> Dict[str, Any]:
    """Trains a linear classifier on the vectors that a pipeline makes of pictures, for `classify-linear`.

    Parameters
    ----------
    pipeline : Pipeline or path
        Its last stage that gives a vector is taken, such as `hog`.
    data : path
        A folder with IDX files or class folders, in `train` and `test` where there is a split.
    out : path
        The model to be written, a safetensors file.
    method : "logistic" or "svm"
        Multinomial logistic regression, or support vector machines, one class against the rest.
    c : float
        What a sample's loss counts for against half the squared weights.
    max_iterations : int
        Steps (logistic) or passes over the data (svm) at most.
    tolerance : float
        When to stop: relative slope (logistic), difference of projected gradients (svm).
    seed : int
        Where all randomness comes from.
    threads : int
        0 is one for each core. They change no result.
    progress : callable
        Told `(done, total)` pictures, from several threads.

    Returns
    -------
    dict
        `model`, `features`, `iterations`, `converged`, and the scores `training` and `test`.
    """
    told = _lyncean.train_linear(
        [_source(pipeline)],
        os.fspath(data),
        os.fspath(out),
        method,
        c,
        max_iterations,
        tolerance,
        seed,
        threads,
        progress,
    )
    return _dict(told)


@overload
def predict(
    model: StrPath, inputs: List[Any], *, top: int = ..., resize: bool = ..., masks: str = ...
) -> List[Dict[str, Any]]: ...
@overload
def predict(
    model: StrPath, inputs: Any, *, top: int = ..., resize: bool = ..., masks: str = ...
) -> Dict[str, Any]: ...
def predict(
    model: StrPath, inputs: Any, *, top: int = 3, resize: bool = False, masks: str = "bool"
) -> Union[Dict[str, Any], List[Dict[str, Any]]]:
    """What a trained net makes of a picture or a sentence: what `lyncean predict` tells.

    Parameters
    ----------
    model : path
        A weights file, such as a run's `best.safetensors`, or `"builtin:lenet5"`.
    inputs : array, path or str, or a list of them
        Pictures as arrays or files; for a net of text, sentences.
    top : int
        Classes that are told, the most probable first.
    resize : bool
        Bring pictures of other sizes to the net's, bilinearly.
    masks : "bool" or "uint8"
        How masks look.

    Returns
    -------
    dict, or a list of dicts for a list
        `classes`, a list of dicts with `label` and `p`. A net of pixels has `share`, of the picture, in place of `p`, and
        `labels`: of two classes a mask of the second, of more an array of their numbers.
    """
    several = isinstance(inputs, list)
    told = _lyncean.predict(os.fspath(model), inputs if several else [inputs], top, resize, masks)
    return told if several else told[0]


def compare(
    pipelines: Iterable[Union[Pipeline, StrPath]],
    data: StrPath,
    *,
    limit: Optional[int] = None,
    repeats: int = 3,
    progress: Optional[Progress] = None,
) -> Dict[str, Any]:
    """Compares pipelines that classify on the same labelled pictures: accuracies with 95% intervals, McNemar's test, and
    milliseconds a picture on one thread, measured in turns.

    Parameters
    ----------
    pipelines : iterable of Pipeline or path
        The answer of each is the most probable class of its last stage that gives classes.
    data : path
        A folder with one folder of pictures for each class, or with IDX files; of data with a test split that.
    limit : int
        So many pictures at most, at even steps through the data.
    repeats : int
        How often each picture is timed; the fastest counts.
    progress : callable
        Told `(done, total)` pictures.

    Returns
    -------
    dict
        As `lyncean compare --json` writes it: `images`, `classes`, `pipelines`, `pairs`.
    """
    sources: List[Any] = [_source(pipeline) for pipeline in pipelines]
    return _dict(_lyncean.compare(sources, os.fspath(data), limit, repeats, progress))


def _dict(text: str) -> Dict[str, Any]:
    made = json.loads(text)
    assert isinstance(made, dict)
    return made
