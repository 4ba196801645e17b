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

import inspect
from functools import lru_cache
from typing import Any, Callable, Dict, List, Tuple

from . import _registry, _results
from ._lyncean import Operation as _Operation

__all__ = sorted(_registry.FUNCTIONS)


def _make(name: str, index: int) -> Callable[..., Any]:
    operation: Any = _Operation(index)
    operation.__name__ = operation.__qualname__ = name
    operation.__module__ = __name__
    return operation  # type: ignore[no-any-return]


@lru_cache(maxsize=None)
def _described(index: int) -> Tuple[str, inspect.Signature, Dict[str, Any]]:
    kind = _registry.kind(index)
    signature = _registry.operation_signature(kind)
    return _registry.operation_doc(kind), signature, _registry.annotated(signature)


# Made when they are first read: a program that just works never does, and they take longer than its first calls.
for _at, _property in enumerate(("__doc__", "__signature__", "__annotations__")):
    setattr(_Operation, _property, property(lambda self, at=_at: _described(self._index)[at]))


def _outputs_class(name: str) -> Any:
    """The tuple of an operation that always has several outputs, as stubs name it."""
    for index in _registry.FUNCTIONS.values():
        kind = _registry.kind(index)
        if _registry.outputs_class(kind) == name == _registry.return_type(kind):
            return _results._outputs_class(kind.name, tuple(output.name for output in _registry.outputs(kind)))
    raise AttributeError(f"module `{__name__}` has no `{name}`")


def __getattr__(name: str) -> Any:
    index = _registry.FUNCTIONS.get(name)
    made: Any
    if index is not None:
        made = _make(name, index)
    elif name.endswith("Outputs"):
        made = _outputs_class(name)
    else:
        raise AttributeError(f"module `{__name__}` has no operation `{name}`")
    globals()[name] = made
    return made


def __dir__() -> List[str]:
    return __all__
