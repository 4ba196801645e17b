"""Every stage as a function that makes one for a `Pipeline`: `lyncean.gaussian_blur(sigma=1.4)`."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

from . import _registry
from ._stage import Stage

__all__ = ["Stage", *sorted(_registry.FUNCTIONS)]


class _Maker:
    # Docs and signature are made when they are first read: a program that just works never does.

    def __init__(self, name: str, index: int) -> None:
        self._index = index
        self.__name__ = self.__qualname__ = name
        self.__module__ = __name__

    def __call__(
        self, *, name: Optional[str] = None, in_: Union[str, Sequence[str], None] = None, **parameters: Any
    ) -> Stage:
        kind = _registry.kind(self._index)
        known = {parameter.name: parameter.toml for parameter in kind.parameters}
        for key in parameters:
            if key not in known:
                names = ", ".join(known) or "none"
                raise TypeError(f"stage `{kind.name}` has no parameter `{key}`; its parameters are: {names}")
        for parameter in kind.parameters:
            if parameter.required and parameters.get(parameter.name) is None:
                raise TypeError(f"stage `{kind.name}` wants `{parameter.name}`")
        given = {known[key]: value for key, value in parameters.items() if value is not None}
        return Stage(kind.name, given, name, in_)

    __doc__ = property(lambda self: _described(self._index)[0])  # type: ignore[assignment]
    __signature__ = property(lambda self: _described(self._index)[1])
    __annotations__ = property(lambda self: _described(self._index)[2])  # type: ignore[assignment]

    def __get__(self, instance: object, owner: object = None) -> _Maker:
        """As an attribute of a class it is no method; and `help` takes it for the function that it is."""
        return self

    def __reduce__(self) -> str:
        return self.__qualname__

    def __repr__(self) -> str:
        return f"<stage {self.__module__}.{self.__qualname__}>"


@lru_cache(maxsize=None)
def _described(index: int) -> Tuple[str, inspect.Signature, Dict[str, Any]]:
    kind = _registry.kind(index)
    signature = _registry.stage_signature(kind)
    return _registry.stage_doc(kind), signature, _registry.annotated(signature)


def __getattr__(name: str) -> Callable[..., Stage]:
    index = _registry.FUNCTIONS.get(name)
    if index is None:
        raise AttributeError(f"module `{__name__}` has no stage `{name}`")
    made = _Maker(name, index)
    globals()[name] = made
    return made


def __dir__() -> List[str]:
    return __all__
