"""The stages as the extension knows them. No stage is named here, or anywhere else in this package."""

from __future__ import annotations

import builtins
import inspect
import json
import keyword
import textwrap
from functools import lru_cache
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from . import _lyncean

#: Names of kinds in the order of their indices.
KINDS: Tuple[str, ...] = tuple(_lyncean.names())


def function_name(kind: str) -> str:
    """`gaussian-blur` is `gaussian_blur`; what Python knows already gets a line: `open_`."""
    name = kind.replace("-", "_")
    return name + "_" if keyword.iskeyword(name) or hasattr(builtins, name) else name


def parameter_name(name: str) -> str:
    """`border-value` is `border_value`; keywords of Python, and of every function here, get a line."""
    name = name.replace("-", "_")
    taken = keyword.iskeyword(name) or name in ("masks", "threads", "name")
    return name + "_" if taken else name


#: The index of the kind behind each function.
FUNCTIONS: Dict[str, int] = {function_name(kind): index for index, kind in enumerate(KINDS)}


class Parameter(NamedTuple):
    """A parameter of a stage, as its schema declares it."""

    name: str
    toml: str
    #: The type as Python writes it.
    type: str
    default: Any
    required: bool
    range: str
    doc: str
    #: Words it may be, with what they mean.
    choices: Tuple[Tuple[str, str], ...]


class Port(NamedTuple):
    """An input of a stage."""

    name: str
    accepts: Tuple[str, ...]
    many: bool


class Output(NamedTuple):
    """An output of a stage, with the types it may have."""

    name: str
    types: Tuple[str, ...]
    #: Whether it is there whatever the parameters say.
    always: bool


class Kind(NamedTuple):
    """A kind of stage."""

    #: Its index among all kinds.
    number: int
    name: str
    family: str
    summary: str
    doc: str
    inputs: Tuple[Port, ...]
    parameters: Tuple[Parameter, ...]
    example: str


@lru_cache(maxsize=None)
def kind(index: int) -> Kind:
    """All that is known of a kind, but for its outputs."""
    entry = json.loads(_lyncean.entry(index))
    schema = entry["parameters"]
    required = schema.get("required", [])
    properties = schema.get("properties", {})
    return Kind(
        index,
        entry["name"],
        entry["family"],
        entry["summary"],
        entry["doc"],
        tuple(Port(port["name"], tuple(port["accepts"]), port["many"]) for port in entry["inputs"]),
        tuple(_parameter(name, own, schema, name in required) for name, own in properties.items()),
        entry["example"],
    )


@lru_cache(maxsize=None)
def _outputs(index: int) -> Tuple[Output, ...]:
    found = json.loads(_lyncean.outputs(index))
    return tuple(Output(out["name"], tuple(out["types"]), out["always"]) for out in found)


def outputs(kind: Kind) -> Tuple[Output, ...]:
    """The outputs of a kind."""
    return _outputs(kind.number)


def _parameter(name: str, own: Dict[str, Any], root: Dict[str, Any], required: bool) -> Parameter:
    choices: List[Tuple[str, str]] = []
    _collect_choices(own, root, choices)
    default = own.get("default")
    written = _type(own, root)
    if not required and default is None and "None" not in written.split(" | "):
        written += " | None"
    doc = own.get("description", "").strip()
    return Parameter(
        parameter_name(name), name, written, default, required, _range(own, root), doc, tuple(choices)
    )


def _resolve(schema: Dict[str, Any], root: Dict[str, Any]) -> Tuple[Dict[str, Any], Optional[str]]:
    """What a reference leads to, and what that is called."""
    name = None
    while "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        schema = root.get("$defs", {}).get(name, {})
    return schema, name


def _forms(schema: Dict[str, Any]) -> List[Dict[str, Any]]:
    return [form for key in ("anyOf", "oneOf", "allOf") for form in schema.get(key, [])]


def _collect_choices(schema: Dict[str, Any], root: Dict[str, Any], into: List[Tuple[str, str]]) -> None:
    schema, _ = _resolve(schema, root)
    if isinstance(schema.get("const"), str):
        into.append((schema["const"], schema.get("description", "")))
    into.extend((word, "") for word in schema.get("enum", []) if isinstance(word, str))
    for form in _forms(schema):
        _collect_choices(form, root, into)


def _type(schema: Dict[str, Any], root: Dict[str, Any]) -> str:
    """The type in Python's words: the union of all forms a value may have."""
    parts: List[str] = []
    words: List[str] = []
    _collect_types(schema, root, parts, words)
    if words:
        parts.insert(0, f"Literal[{', '.join(json.dumps(word) for word in words)}]")
    unique = [part for at, part in enumerate(parts) if part not in parts[:at]]
    if "float" in unique and "int" in unique:
        unique.remove("int")
    unique.sort(key=lambda part: part == "None")
    return " | ".join(unique) or "Any"


def _collect_types(schema: Dict[str, Any], root: Dict[str, Any], parts: List[str], words: List[str]) -> None:
    schema, name = _resolve(schema, root)
    if "const" in schema:
        if isinstance(schema["const"], str):
            words.append(schema["const"])
        else:
            parts.append(type(schema["const"]).__name__)
        return
    if "enum" in schema:
        words.extend(word for word in schema["enum"] if isinstance(word, str))
        if None in schema["enum"]:
            parts.append("None")
        return
    types = schema.get("type", [])
    for ty in [types] if isinstance(types, str) else types:
        if ty == "string":
            parts.append("StrPath" if name == "Resource" else "str")
        elif ty == "array":
            parts.append(
                f"Sequence[{_type(schema['items'], root)}]" if "items" in schema else "Sequence[Any]"
            )
        else:
            named = {"integer": "int", "number": "float", "boolean": "bool", "null": "None"}
            parts.append(named.get(ty, "Mapping[str, Any]"))
    for form in _forms(schema):
        _collect_types(form, root, parts, words)


def _range(own: Dict[str, Any], root: Dict[str, Any]) -> str:
    for schema in (own, _resolve(own, root)[0]):
        words = []
        least, most = schema.get("minimum"), schema.get("maximum")
        # The limits of the number's own type say nothing to a reader.
        most = most if most is not None and most < 4e9 else None
        if least is not None and most is not None:
            words.append(f"{least:g} to {most:g}")
        elif least is not None:
            words.append(f"at least {least:g}")
        elif most is not None:
            words.append(f"at most {most:g}")
        if "exclusiveMinimum" in schema:
            words.append(f"more than {schema['exclusiveMinimum']:g}")
        if "exclusiveMaximum" in schema:
            words.append(f"less than {schema['exclusiveMaximum']:g}")
        if words:
            return ", ".join(words)
    return ""


#: The type of an output in Python's words, by the type of the value.
_OUTPUT_TYPES = {
    "gray8": "NDArray[np.uint8]",
    "rgb8": "NDArray[np.uint8]",
    "gray16": "NDArray[np.uint16]",
    "rgb16": "NDArray[np.uint16]",
    "gray-f32": "NDArray[np.float32]",
    "rgb-f32": "NDArray[np.float32]",
    # `masks="uint8"` makes bytes of them.
    "mask": "NDArray[Any]",
    "labels": "NDArray[np.uint32]",
    "vector": "NDArray[np.float32]",
    "tensor": "NDArray[np.float32]",
    "objects": "Objects",
    "classes": "List[Dict[str, Any]]",
    "measures": "Dict[str, float]",
    # Two arrays, where parameters ask for it: too rare to burden every caller with a union.
    "gradient": "Any",
}


def output_type(output: Output) -> str:
    """The type of one output."""
    types = {_OUTPUT_TYPES.get(ty, "Any") for ty in output.types}
    if len(types) == 1:
        return types.pop()
    return "NDArray[Any]" if all(ty.startswith("NDArray") for ty in types) else "Any"


def outputs_class(kind: Kind) -> str:
    """The name of the tuple of a stage with several outputs."""
    return "".join(part.capitalize() for part in kind.name.split("-")) + "Outputs"


def return_type(kind: Kind) -> str:
    """What a function of `ops` returns."""
    found = outputs(kind)
    if len(found) == 1:
        return output_type(found[0])
    return outputs_class(kind) if all(output.always for output in found) else "Any"


def input_type(port: Port) -> str:
    """What a function of `ops` takes at a port."""
    data = {
        "objects": "Objects | List[Dict[str, Any]]",
        "classes": "List[Dict[str, Any]]",
        "measures": "Dict[str, float]",
        "vector": "NDArray[np.float32]",
        "tensor": "NDArray[np.float32]",
    }
    parts = ["NDArray[Any]"] if any(ty not in data for ty in port.accepts) else []
    for ty in port.accepts:
        if ty in data and data[ty] not in parts:
            parts.append(data[ty])
    # A stage's several outputs may be given as they are: the first that fits is taken.
    return " | ".join(parts + ["Tuple[Any, ...]"])


def _facts(parameter: Parameter) -> str:
    words = [parameter.type.replace('"', "'")]
    if parameter.range:
        words.append(parameter.range)
    if parameter.required:
        words.append("required")
    elif parameter.default is None:
        words.append("optional")
    else:
        words.append(f"default {_literal(parameter.default)}")
    return ", ".join(words)


def _literal(value: Any) -> str:
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _indented(text: str) -> str:
    return textwrap.indent(text.strip(), "    ")


def _parameter_docs(kind: Kind) -> str:
    text = ""
    for parameter in kind.parameters:
        text += f"{parameter.name} : {_facts(parameter)}\n{_indented(parameter.doc)}\n"
        for word, doc in parameter.choices:
            if doc:
                text += _indented(f"- `{word}`: {' '.join(doc.split())}") + "\n"
    return text


def operation_doc(kind: Kind) -> str:
    """The docstring of a function of `ops`, in NumPy's style."""
    text = kind.doc.strip() + "\n\nParameters\n----------\n"
    for port in kind.inputs:
        star, many = ("*", ", any number") if port.many else ("", "")
        text += f"{star}{port.name} : {', '.join(port.accepts)}{many}\n"
    text += _parameter_docs(kind)
    text += (
        'masks : "bool" or "uint8", default "bool"\n    How masks look: `bool`, or 0 and 255 as in OpenCV.\n'
    )
    text += "threads : int, default 1\n    Threads that work on the picture. They change no result.\n"
    text += "\nReturns\n-------\n"
    found = outputs(kind)
    for output in found:
        seldom = "" if output.always else " (not with all parameters)"
        text += f"{output.name} : {', '.join(output.types)}{seldom}\n"
    if len(found) > 1:
        text += "\nSeveral outputs come as a named tuple, one alone as it is.\n"
    return text


def stage_doc(kind: Kind) -> str:
    """The docstring of a function that makes a stage of a pipeline."""
    text = f"A stage `{kind.name}` of a pipeline.\n\n{kind.doc.strip()}\n\nParameters\n----------\n"
    text += _parameter_docs(kind)
    text += "name : str, optional\n    What the stage is called; by default its kind.\n"
    text += "in_ : str or list of str, optional\n"
    text += "    The stages it reads, or `input`; by default the one above.\n"
    text += "\nReturns\n-------\nStage\n"
    return text


def _default(parameter: Parameter) -> Any:
    return inspect.Parameter.empty if parameter.required else parameter.default


def annotated(signature: inspect.Signature) -> Dict[str, Any]:
    """The annotations of a function with a signature."""
    all_of_them = {parameter.name: parameter.annotation for parameter in signature.parameters.values()}
    return {**all_of_them, "return": signature.return_annotation}


def operation_signature(kind: Kind) -> inspect.Signature:
    """The signature of a function of `ops`."""
    P = inspect.Parameter
    parameters = [
        P(
            port.name.replace("-", "_"),
            P.VAR_POSITIONAL if port.many else P.POSITIONAL_ONLY,
            annotation=input_type(port),
        )
        for port in kind.inputs
    ]
    parameters += [P(p.name, P.KEYWORD_ONLY, default=_default(p), annotation=p.type) for p in kind.parameters]
    parameters.append(P("masks", P.KEYWORD_ONLY, default="bool", annotation='Literal["bool", "uint8"]'))
    parameters.append(P("threads", P.KEYWORD_ONLY, default=1, annotation="int"))
    return inspect.Signature(parameters, return_annotation=return_type(kind))


def stage_signature(kind: Kind) -> inspect.Signature:
    """The signature of a function that makes a stage."""
    P = inspect.Parameter
    parameters = [P(p.name, P.KEYWORD_ONLY, default=_default(p), annotation=p.type) for p in kind.parameters]
    parameters.append(P("name", P.KEYWORD_ONLY, default=None, annotation="str | None"))
    parameters.append(P("in_", P.KEYWORD_ONLY, default=None, annotation="str | Sequence[str] | None"))
    return inspect.Signature(parameters, return_annotation="Stage")
