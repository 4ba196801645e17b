"""What runs give: outputs by name, and tables and pictures of them for notebooks."""

from __future__ import annotations

import base64
import html
from collections import namedtuple
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from . import _lyncean
from ._lyncean import Objects

__all__ = ["Gradient", "Objects", "Results", "objects_table"]

Sequence.register(Objects)

#: Pictures in notebooks are no wider or higher.
_PREVIEW = 320
#: Rows of tables in notebooks.
_ROWS = 12


class Gradient(NamedTuple):
    """Both derivatives of a picture: `int16` of 8-bit pictures where every value fits, else `float32`."""

    #: Along x, positive where values rise to the right.
    dx: NDArray[Any]
    #: Along y, positive where values rise downwards.
    dy: NDArray[Any]


@lru_cache(maxsize=None)
def _outputs_class(kind: str, names: Tuple[str, ...]) -> Any:
    title = "".join(part.capitalize() for part in kind.split("-")) + "Outputs"

    def reduce(self: Tuple[Any, ...]) -> Tuple[Any, ...]:
        return _outputs, (kind, names, tuple(self))

    made: Any = namedtuple(title, [name.replace("-", "_") for name in names])  # type: ignore[misc]
    setattr(made, "__module__", __name__)
    setattr(made, "__reduce__", reduce)
    return made


def _outputs(kind: str, names: Tuple[str, ...], values: Tuple[Any, ...]) -> Any:
    """Several outputs of a stage as a named tuple; it can be pickled."""
    return _outputs_class(kind, names)(*values)


def objects_table(objects: Sequence[Mapping[str, Any]]) -> Dict[str, NDArray[Any]]:
    """Objects as columns: `x`, `y`, `width`, `height`, and a column for each further key.

    Where an object lacks a number, the column has `nan` there; where it lacks a word, an empty one.
    Outlines are left out: they have no fixed length.

    >>> import lyncean as ly
    >>> labelled = ly.ops.label(ly.builtin("coins") > 150, min_area=100)
    >>> table = ly.objects_table(labelled.objects)
    >>> len(table["area"]) == len(labelled.objects)
    True
    """
    if isinstance(objects, Objects):
        return {key: np.asarray(objects.column(key)) for key in objects.keys()}
    boxes = np.array([object["box"] for object in objects], dtype=float).reshape(-1, 4)
    table: Dict[str, NDArray[Any]] = dict(zip(("x", "y", "width", "height"), boxes.T.copy()))
    keys = dict.fromkeys(key for object in objects for key in object if key not in ("box", "outline"))
    for key in keys:
        column = [object.get(key) for object in objects]
        if any(isinstance(value, str) for value in column):
            table[key] = np.array([value or "" for value in column])
        else:
            table[key] = np.array([np.nan if value is None else value for value in column], dtype=float)
    return table


class Results(Mapping[str, Any]):
    """The results of a pipeline on one picture, by the names of its stages.

    A stage with one output gives its value, one with several a named tuple, in which what was not kept
    is `None`. Data is always kept; images are where `save` asked for them, and that of the last stage.
    """

    def __init__(self, stages: List[Tuple[str, str, List[str], List[Any]]], output: Any) -> None:
        self._stages = stages
        #: The image of the last stage, if it gives one.
        self.output: Optional[NDArray[Any]] = output
        self._values: Dict[str, Any] = {}
        for name, kind, fields, values in stages:
            if all(value is None for value in values):
                continue
            self._values[name] = (
                values[0] if len(values) == 1 else _outputs(kind, tuple(fields), tuple(values))
            )

    def __getitem__(self, stage: str) -> Any:
        try:
            return self._values[stage]
        except KeyError:
            pass
        if any(name == stage for name, *_ in self._stages):
            raise KeyError(f'nothing of stage `{stage}` was kept: run with save="all" or save=["{stage}"]')
        known = ", ".join(f"`{name}`" for name, *_ in self._stages)
        raise KeyError(f"there is no stage `{stage}`; there are {known}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        shown = [f"  {name}: {_brief(self._values.get(name))}" for name, *_ in self._stages]
        return "Results(\n" + "\n".join(shown) + "\n)"

    def _repr_html_(self) -> str:
        cells = []
        for name, kind, fields, values in self._stages:
            shown = [
                f"<div>{html.escape(field)}</div>{_html(value)}"
                for field, value in zip(fields, values)
                if value is not None
            ]
            if shown:
                title = html.escape(name if name == kind else f"{name} ({kind})")
                cells.append(
                    '<div style="display:inline-block;vertical-align:top;margin:0 1em 1em 0">'
                    f"<b>{title}</b>{''.join(shown)}</div>"
                )
        return "<div>" + "".join(cells) + "</div>"


def _brief(value: Any) -> str:
    if value is None:
        return "not kept"
    if isinstance(value, np.ndarray):
        return f"{value.dtype} {'x'.join(map(str, value.shape))}"
    if isinstance(value, (list, Objects)):
        return f"{len(value)} entries"
    if isinstance(value, tuple):
        fields = getattr(value, "_fields", range(len(value)))
        return ", ".join(f"{field} {_brief(part)}" for field, part in zip(fields, value))
    return repr(value)


def _html(value: Any) -> str:
    if isinstance(value, Gradient):
        value = np.hypot(value.dx.astype(np.float32), value.dy.astype(np.float32))
    if isinstance(value, np.ndarray):
        return _picture(value) if value.ndim >= 2 and value.size else html.escape(_brief(value))
    if isinstance(value, dict):
        return _table(["", ""], list(value.items()))
    if isinstance(value, (list, Objects)) and value:
        keys = [key for key in value[0] if key != "outline"]
        rows = [(at, *(entry.get(key) for key in keys)) for at, entry in enumerate(value[:_ROWS], 1)]
        return _table(["", *keys], rows, len(value))
    return html.escape(_brief(value))


def _picture(array: NDArray[Any]) -> str:
    data = base64.b64encode(_lyncean.preview_png(array, _PREVIEW)).decode("ascii")
    size = html.escape(_brief(array))
    return f'<img alt="{size}" title="{size}" src="data:image/png;base64,{data}">'


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]], count: int = 0) -> str:
    def cell(value: Any) -> str:
        if isinstance(value, float):
            return f"{value:.6g}"
        if isinstance(value, list):
            return ", ".join(cell(part) for part in value)
        return "" if value is None else str(value)

    lines = ["".join(f"<th>{html.escape(word)}</th>" for word in head)]
    lines += ["".join(f"<td>{html.escape(cell(value))}</td>" for value in row) for row in rows[:_ROWS]]
    more = max(len(rows), count) - _ROWS
    if more > 0:
        lines.append(f'<td colspan="{len(head)}">and {more} more</td>')
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"
