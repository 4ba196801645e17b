"""Pipelines: from files, texts or stages in code, to results."""

from __future__ import annotations

import html
import os
from typing import Any, Iterable, List, Optional, Tuple, Union

from numpy.typing import ArrayLike

from ._lyncean import PipelineCore
from ._results import Results
from ._stage import Stage

__all__ = ["Pipeline"]

StrPath = Union[str, "os.PathLike[str]"]


class Pipeline:
    """A checked chain, or graph, of stages, ready to run on pictures; threads may share it.

    >>> import lyncean as ly
    >>> edges = ly.Pipeline([ly.gray(), ly.gaussian_blur(sigma=1.4), ly.sobel(), ly.threshold(level=100)])
    >>> results = edges(ly.builtin("astronaut"))
    >>> results.output.dtype
    dtype('bool')

    Parameters
    ----------
    stages : iterable of Stage
        From the first to the last. Each reads the one before it, or those that its `in_` names.
    base : path, optional
        The folder that paths in parameters start from; by default the current one.
    name : str, default "pipeline"
        What messages call it.

    Raises
    ------
    PipelineError
        With all problems at once, each with its line in the TOML of the pipeline.
    """

    def __init__(
        self, stages: Iterable[Stage], *, base: Optional[StrPath] = None, name: str = "pipeline"
    ) -> None:
        listed = list(stages)
        for stage in listed:
            if not isinstance(stage, Stage):
                raise TypeError(
                    f"a pipeline is made of stages such as `lyncean.gray()`, not of {type(stage).__name__}"
                )
        text = "\n".join(["version = 1\n", *(stage.to_toml() for stage in listed)])
        folder = os.getcwd() if base is None else os.fspath(base)
        self._core = PipelineCore.parse(text, name, folder)

    @classmethod
    def _of(cls, core: PipelineCore) -> Pipeline:
        pipeline = cls.__new__(cls)
        pipeline._core = core
        return pipeline

    @classmethod
    def load(cls, path: StrPath) -> Pipeline:
        """Loads a pipeline file, or with `builtin:NAME` one that ships."""
        return cls._of(PipelineCore.load(os.fspath(path)))

    @classmethod
    def from_toml(cls, text: str, *, base: Optional[StrPath] = None, name: str = "pipeline") -> Pipeline:
        """Loads a pipeline from a text. Paths in it start from `base`; without it only built-ins are found."""
        return cls._of(PipelineCore.parse(text, name, None if base is None else os.fspath(base)))

    def to_toml(self) -> str:
        """Its text, as a file could hold it."""
        return self._core.text

    def __str__(self) -> str:
        return self.to_toml()

    @property
    def name(self) -> str:
        """What messages call it: the name of its file, where it has one."""
        return self._core.name

    @property
    def stage_names(self) -> List[str]:
        """The names of its stages, in order."""
        return [name for name, _, _ in self._core.connections]

    @property
    def accepts(self) -> List[str]:
        """The types of pictures it takes, such as `gray8`."""
        return self._core.accepted

    def __call__(
        self,
        picture: ArrayLike,
        *,
        save: Union[str, Iterable[str]] = (),
        threads: int = 1,
        masks: str = "bool",
    ) -> Results:
        """Runs on a picture: height x width, or height x width x 3 as RED, GREEN, BLUE, or x 4 with alpha.

        Parameters
        ----------
        picture : array
            `uint8`, `uint16` or `float32`. OpenCV has blue first: give it `picture[..., ::-1]`.
        save : "all", a name, or names
            The stages whose images are kept beside the last one.
        threads : int
            Threads that work on the picture. They change no result.
        masks : "bool" or "uint8"
            How masks look: `bool`, or 0 and 255 as in OpenCV.
        """
        names = save if isinstance(save, str) else list(save)
        stages, output = self._core.run(picture, names, threads, masks)
        return Results(stages, output)

    def explain(self, type: str = "rgb8", width: int = 1920, height: int = 1080, *, threads: int = 1) -> str:
        """The plan in words, for pictures of one type and size: runs, memory, and why each run ends."""
        return self._core.explain(type, width, height, threads)

    def __reduce__(self) -> Tuple[Any, ...]:
        # Resources are found again by their paths.
        return (_restored, (type(self), self._core.text, self._core.name, self._core.base))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pipeline) and (
            (self._core.text, self._core.base) == (other._core.text, other._core.base)
        )

    def __hash__(self) -> int:
        return hash(self._core.text)

    def __repr__(self) -> str:
        return f"<Pipeline {self.name}: {' -> '.join(self.stage_names)}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            "<tr>"
            f"<td><b>{html.escape(name)}</b></td><td>{html.escape(kind if kind != name else '')}</td>"
            f"<td>{html.escape(', '.join(inputs))}</td></tr>"
            for name, kind, inputs in self._core.connections
        )
        head = "<tr><th>stage</th><th>kind</th><th>reads</th></tr>"
        return f"<b>{html.escape(self.name)}</b><table>{head}{rows}</table>"


def _restored(cls: Any, text: str, name: str, base: Optional[str]) -> Pipeline:
    pipeline = cls.__new__(cls)
    pipeline._core = PipelineCore.parse(text, name, base)
    assert isinstance(pipeline, Pipeline)
    return pipeline
