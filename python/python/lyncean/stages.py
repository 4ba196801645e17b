"""Every stage as a function that makes one for a `Pipeline`: `lyncean.gaussian_blur(sigma=1.4)`."""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Sequence, Union

from . import _registry
from ._stage import Stage

__all__ = ["Stage", *sorted(_registry.FUNCTIONS)]


def _make(name: str, index: int) -> Callable[..., Stage]:
    kind = _registry.kind(index)
    known = {parameter.name: parameter.toml for parameter in kind.parameters}
    required = [parameter.name for parameter in kind.parameters if parameter.required]

    def stage(
        *, name: Optional[str] = None, in_: Union[str, Sequence[str], None] = None, **parameters: Any
    ) -> Stage:
        for key in parameters:
            if key not in known:
                names = ", ".join(known) or "none"
                raise TypeError(f"stage `{kind.name}` has no parameter `{key}`; its parameters are: {names}")
        for key in required:
            if parameters.get(key) is None:
                raise TypeError(f"stage `{kind.name}` wants `{key}`")
        given = {known[key]: value for key, value in parameters.items() if value is not None}
        return Stage(kind.name, given, name, in_)

    signature = _registry.stage_signature(kind)
    stage.__name__ = stage.__qualname__ = name
    stage.__module__ = __name__
    stage.__doc__ = _registry.stage_doc(kind)
    stage.__signature__ = signature  # type: ignore[attr-defined]
    stage.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    stage.__annotations__["return"] = signature.return_annotation
    return stage


def __getattr__(name: str) -> Callable[..., Stage]:
    index = _registry.FUNCTIONS.get(name)
    if index is None:
        raise AttributeError(f"module `{__name__}` has no stage `{name}`")
    made = _make(name, index)
    globals()[name] = made
    return made


def __dir__() -> List[str]:
    return __all__
