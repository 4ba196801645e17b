"""Type stubs of `ops` and `stages`, made of the registry: `python -m lyncean._stubs FOLDER` writes them."""

from __future__ import annotations

import inspect
import sys
import textwrap
from pathlib import Path
from typing import Dict, List

from . import _registry

_HEAD = "# Made of the registry of stages: `BLESS=1 pytest python/tests/test_stubs.py` refreshes it.\n"

_OPS_IMPORTS = """
import os
from typing import Any, Dict, List, Literal, Mapping, NamedTuple, Sequence, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from ._lyncean import Objects as Objects

StrPath = Union[str, "os.PathLike[str]"]
"""

_STAGES_IMPORTS = """
import os
from typing import Any, Literal, Mapping, Sequence, Union

from ._stage import Stage as Stage

StrPath = Union[str, "os.PathLike[str]"]
"""


def stubs() -> Dict[str, str]:
    """The text of each stub by the name of its file."""
    return {"ops.pyi": _ops(), "stages.pyi": _stages()}


def _kinds() -> List[_registry.Kind]:
    return [_registry.kind(index) for _, index in sorted(_registry.FUNCTIONS.items())]


def _all(names: List[str]) -> str:
    return "__all__ = [\n" + "".join(f'    "{name}",\n' for name in names) + "]\n"


def _ops() -> str:
    parts = [_HEAD + _OPS_IMPORTS, _all(sorted(_registry.FUNCTIONS))]
    for kind in _kinds():
        outputs = _registry.outputs(kind)
        if len(outputs) > 1 and all(output.always for output in outputs):
            fields = [
                f"    {out.name.replace('-', '_')}: {_registry.output_type(out)}" for out in outputs
            ]
            doc = f'    """What `{_registry.function_name(kind.name)}` gives."""\n\n'
            name = _registry.outputs_class(kind)
            parts.append(f"class {name}(NamedTuple):\n{doc}" + "\n".join(fields) + "\n")
        signature = _registry.operation_signature(kind)
        parts.append(_function(kind, signature, _registry.operation_doc(kind)))
    return "\n".join(parts)


def _stages() -> str:
    parts = [_HEAD + _STAGES_IMPORTS, _all(["Stage", *sorted(_registry.FUNCTIONS)])]
    for kind in _kinds():
        told = f"`lyncean.ops.{_registry.function_name(kind.name)}`"
        doc = f"{kind.summary}.\n\nA stage `{kind.name}`; its parameters are told by {told}."
        parts.append(_function(kind, _registry.stage_signature(kind), doc))
    return "\n".join(parts)


def _function(kind: _registry.Kind, signature: inspect.Signature, doc: str) -> str:
    lines = []
    previous = None
    for parameter in signature.parameters.values():
        if previous is parameter.POSITIONAL_ONLY and parameter.kind is not previous:
            lines.append("/,")
        if parameter.kind is parameter.KEYWORD_ONLY and previous not in (
            parameter.KEYWORD_ONLY,
            parameter.VAR_POSITIONAL,
        ):
            lines.append("*,")
        star = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        lines.append(f"{star}{parameter.name}: {parameter.annotation}{_default(parameter)},")
        previous = parameter.kind
    body = textwrap.indent(_docstring(doc), "    ")
    arguments = textwrap.indent("\n".join(lines), "    ")
    name = _registry.function_name(kind.name)
    return f"def {name}(\n{arguments}\n) -> {signature.return_annotation}:\n{body}\n    ...\n"


def _docstring(doc: str) -> str:
    quotes = '"' * 3
    text = doc.strip().replace("\\", "\\\\").replace(quotes, "'''")
    return f"{quotes}{text}\n{quotes}" if "\n" in text else f"{quotes}{text}{quotes}"


def _default(parameter: inspect.Parameter) -> str:
    if parameter.default is parameter.empty:
        return ""
    if parameter.default is None or isinstance(parameter.default, (bool, int, float, str)):
        return f" = {parameter.default!r}"
    return " = ..."


def main(folder: str) -> None:
    """Writes the stubs into a folder."""
    for name, text in stubs().items():
        Path(folder, name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).parent))
