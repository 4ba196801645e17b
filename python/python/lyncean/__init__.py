"""Computer-vision pipelines: every step a stage, every chain of stages a small TOML file.

>>> import lyncean as ly
>>> pipeline = ly.Pipeline([ly.gray(), ly.gaussian_blur(sigma=1.4), ly.threshold(method="otsu"), ly.label()])
>>> results = pipeline(ly.builtin("coins"))
>>> len(results["label"].objects) > 20
True

Pictures are NumPy arrays of height x width, or of height x width x 3 in the order RED, GREEN, BLUE.
**OpenCV has blue first**: give its arrays as `image[..., ::-1]`, which costs one copy, and give ours to OpenCV
in the same way.

- `lyncean.ops` has every operation as a function of arrays: `ly.ops.sobel(image, size=3)`.
- `lyncean.Pipeline` is a chain or graph of stages, from a file, a text, or made in code of `ly.gray()`,
  `ly.gaussian_blur(sigma=1.4)`, ...
- `lyncean.imread`, `imwrite` and `builtin` read and write pictures; `train_net`, `train_linear` and `compare`
  learn and judge, and `predict` asks a trained net.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, List

from . import ops, stages
from ._errors import (
    ArrayError,
    Cancelled,
    Error,
    InputError,
    InternalError,
    IoError,
    LimitError,
    MissingFileError,
    PipelineError,
    ShapeError,
    UnsupportedError,
)
from ._files import builtin, imread, imwrite
from ._learn import compare, predict, train_linear, train_net
from ._lyncean import __version__
from ._pipeline import Pipeline
from ._results import Gradient, Objects, Results, objects_table
from ._stage import Stage

if TYPE_CHECKING:
    from .stages import *  # noqa: F403

_OWN = [
    "ArrayError",
    "Cancelled",
    "Error",
    "Gradient",
    "InputError",
    "InternalError",
    "IoError",
    "LimitError",
    "MissingFileError",
    "Objects",
    "Pipeline",
    "PipelineError",
    "Results",
    "ShapeError",
    "Stage",
    "UnsupportedError",
    "__version__",
    "builtin",
    "compare",
    "imread",
    "imwrite",
    "objects_table",
    "ops",
    "predict",
    "stages",
    "train_linear",
    "train_net",
]


def _stage_names() -> List[str]:
    # What this package calls otherwise keeps its name; such a stage is in `stages` still.
    return [name for name in stages.__all__ if name not in _OWN]


def __getattr__(name: str) -> Any:
    # `from .stages import *` would make all functions at once; here each is made when it is asked for.
    if not name.startswith("_") and name in stages.__all__:
        return getattr(stages, name)
    raise AttributeError(f"module `{__name__}` has no `{name}`")


def __dir__() -> List[str]:
    return sorted([*_OWN, *_stage_names()])


__all__ = [  # noqa: F822
    "ArrayError",
    "Cancelled",
    "Error",
    "Gradient",
    "InputError",
    "InternalError",
    "IoError",
    "LimitError",
    "MissingFileError",
    "Objects",
    "Pipeline",
    "PipelineError",
    "Results",
    "ShapeError",
    "Stage",
    "UnsupportedError",
    "__version__",
    "builtin",
    "compare",
    "imread",
    "imwrite",
    "objects_table",
    "ops",
    "predict",
    "stages",
    "train_linear",
    "train_net",
]
__all__ += stages.__all__
