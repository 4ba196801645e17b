"""A stage of a pipeline in code, and how it is written in TOML."""

from __future__ import annotations

import json
import math
import os
from typing import Any, Dict, List, Mapping, Optional, Sequence, Union

__all__ = ["Stage", "toml"]


class Stage:
    """A stage of a `Pipeline`: its kind, its parameters, its name, and what it reads.

    The functions of this package make them: `lyncean.gaussian_blur(sigma=1.4, name="smooth", in_="gray")`.
    """

    __slots__ = ("in_", "name", "parameters", "use")

    def __init__(
        self,
        use: str,
        parameters: Optional[Mapping[str, Any]] = None,
        name: Optional[str] = None,
        in_: Union[str, Sequence[str], None] = None,
    ) -> None:
        self.use = use
        self.parameters: Dict[str, Any] = dict(parameters or {})
        self.name = name
        self.in_: Union[str, List[str], None] = in_ if in_ is None or isinstance(in_, str) else list(in_)

    def to_toml(self) -> str:
        """Its lines in a pipeline file."""
        lines = ["[[stage]]", f"use = {toml(self.use)}"]
        if self.name is not None:
            lines.append(f"name = {toml(self.name)}")
        if self.in_ is not None:
            lines.append(f"in = {toml(self.in_)}")
        lines += [f"{key} = {toml(value)}" for key, value in self.parameters.items()]
        return "\n".join(lines) + "\n"

    def _key(self) -> str:
        return self.to_toml()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stage) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        given = [f"{key.replace('-', '_')}={value!r}" for key, value in self.parameters.items()]
        given += [f"name={self.name!r}"] if self.name is not None else []
        given += [f"in_={self.in_!r}"] if self.in_ is not None else []
        return f"{self.use.replace('-', '_')}({', '.join(given)})"


def toml(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # JSON's strings are TOML's, but for one character that JSON leaves as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return "nan"
        return repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(str(key))} = {toml(item)}" for key, item in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, os.PathLike):
        return toml(os.fspath(value))
    if hasattr(value, "tolist"):
        # NumPy's numbers and arrays.
        return toml(value.tolist())
    raise TypeError(f"{type(value).__name__} is no value of a parameter")
