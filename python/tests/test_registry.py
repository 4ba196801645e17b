"""Every stage of the registry is a function with docs and types, and has a peer or a reason for none."""

from __future__ import annotations

import importlib
import inspect
import pickle
import pkgutil
import pydoc
import subprocess
import sys
from pathlib import Path

import lyncean as ly
import pytest
from conftest import COVERED
from lyncean import _registry

#: Operations that no peer has.
NO_PEER = {
    "classify": "a net; its layers are compared with PyTorch by tests/torch.rs",
    "cnn-detect": "a net that slides; tests/learned_stages.rs compares it with windows cut out",
    "cnn-verify": "a net on parts of a picture, as classify",
    "encode": "a layer of a net; its layers are compared with PyTorch by tests/torch.rs",
    "feature-maps": "drawings are for the eye; what is drawn is compared with PyTorch by tests/torch.rs",
    "reconstruct": "a net, as classify",
    "segment-net": "a net; tests/inference.rs compares it over tiles with its layers one by one",
    "saliency": "a gradient; tests/learned_stages.rs compares it with finite differences",
    "draw": "drawings are for the eye: no two libraries draw the same boxes and words",
}


def _collect() -> None:
    """What tests compare is said where they are defined."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name.startswith("test_parity"):
            importlib.import_module(module.name)


def test_every_operation_has_a_peer_or_a_reason() -> None:
    _collect()
    told = set(COVERED) | set(NO_PEER)
    assert set(_registry.KINDS) - told == set(), "operations without a comparison"
    assert told - set(_registry.KINDS) == set(), "comparisons of no operation"
    assert set(COVERED) & set(NO_PEER) == set()


@pytest.mark.parametrize("name", sorted(_registry.FUNCTIONS))
def test_functions_tell_what_they_are(name: str) -> None:
    kind = _registry.kind(_registry.FUNCTIONS[name])
    operation, stage = getattr(ly.ops, name), getattr(ly.stages, name)
    assert operation.__name__ == stage.__name__ == name
    for function in (operation, stage):
        assert kind.doc.split("\n")[0] in function.__doc__
        signature = inspect.signature(function)
        for parameter in kind.parameters:
            assert parameter.doc, f"{name}: {parameter.name} is not documented"
            assert signature.parameters[parameter.name].annotation == parameter.type
            assert f"\n{parameter.name} : " in function.__doc__
            # The name leads back to the one of pipeline files.
            assert parameter.name.rstrip("_").replace("_", "-") == parameter.toml
    assert _registry.outputs(kind), f"{name} gives nothing"
    assert set(operation.__annotations__) == {*inspect.signature(operation).parameters, "return"}
    assert pickle.loads(pickle.dumps(stage)) is stage
    for function in (operation, stage):
        assert f"\n{name}(" in pydoc.plain(pydoc.render_doc(function))
    assert name in dir(ly.ops) and name in ly.ops.__all__


def test_docs_are_made_when_they_are_read() -> None:
    """They take longer than a first call, and few programs read them."""
    code = """
import lyncean as ly, numpy as np
from lyncean import _registry
ly.ops.gaussian_blur(np.zeros((8, 8), np.uint8), sigma=1.0)
assert _registry.kind.cache_info().currsize == 0
ly.Pipeline([ly.gaussian_blur(sigma=1.0)])(np.zeros((8, 8), np.uint8))
assert _registry._outputs.cache_info().currsize == 0
assert ly.ops.gaussian_blur.__doc__ and _registry._outputs.cache_info().currsize == 1
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_stages_are_attributes_of_the_package() -> None:
    assert set(_registry.FUNCTIONS) - set(dir(ly)) == set()
    assert ly.gaussian_blur is ly.stages.gaussian_blur
    with pytest.raises(AttributeError, match="gausian"):
        _ = getattr(ly, "gausian")  # noqa: B009
    with pytest.raises(AttributeError, match="gausian"):
        _ = getattr(ly.ops, "gausian")  # noqa: B009


def test_names_that_python_knows_get_a_line() -> None:
    assert _registry.function_name("open") == "open_"
    assert _registry.function_name("gaussian-blur") == "gaussian_blur"
    assert _registry.parameter_name("in") == "in_"
    assert _registry.parameter_name("border-value") == "border_value"


def test_tuples_of_stubs_exist() -> None:
    image = ly.builtin("coins") > 100
    assert isinstance(ly.ops.label(image), ly.ops.LabelOutputs)
