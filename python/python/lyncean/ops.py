"""Every operation as a function of arrays: `lyncean.ops.sobel(image, size=3)`.

The functions are made of the registry of stages when they are first asked for; a new stage is here without
further ado. Pictures are arrays of height x width, or height x width x 3 in the order RED, GREEN, BLUE.
OpenCV has blue first: give it `image[..., ::-1]`.

- `uint8`, `uint16`, `float32` (white is 1) are gray or colour, `bool` is a mask, `uint32` and `int32` are labels.
- Arrays without gaps are read in place; others, such as `image[::2, ::-1]`, are copied once.
- Results are arrays of their own. One output comes as it is, several as a named tuple.
- The interpreter is free while a stage works. A thread that writes to an array meanwhile changes which values
  the stage sees, as with NumPy's own functions.
"""

from __future__ import annotations

from typing import Any, Callable, List

from . import _registry
from ._lyncean import call as _call

__all__ = sorted(_registry.FUNCTIONS)


def _make(name: str, index: int) -> Callable[..., Any]:
    def operation(*inputs: Any, masks: str = "bool", threads: int = 1, **parameters: Any) -> Any:
        return _call(index, inputs, parameters, masks, threads)

    kind = _registry.kind(index)
    signature = _registry.operation_signature(kind)
    operation.__name__ = operation.__qualname__ = name
    operation.__module__ = __name__
    operation.__doc__ = _registry.operation_doc(kind)
    operation.__signature__ = signature  # type: ignore[attr-defined]
    operation.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    operation.__annotations__["return"] = signature.return_annotation
    return operation


def __getattr__(name: str) -> Callable[..., Any]:
    index = _registry.FUNCTIONS.get(name)
    if index is None:
        raise AttributeError(f"module `{__name__}` has no operation `{name}`")
    made = _make(name, index)
    globals()[name] = made
    return made


def __dir__() -> List[str]:
    return __all__
