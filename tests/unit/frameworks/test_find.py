"""Which framework a model is of, and what a framework has to have."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest
import torch

from fanin.errors import ArgumentError
from fanin.frameworks.find import FRAMEWORKS, find, named
from fanin.frameworks.framework import Framework

VERBS = {
    name: verb
    for name, verb in vars(Framework).items()
    if inspect.isfunction(verb) and not name.startswith("_")
}


def test_a_torch_module_is_found():
    assert find(torch.nn.Linear(1, 1)).NAME == "torch"


def test_keras_is_asked_before_torch():
    assert FRAMEWORKS.index("keras") < FRAMEWORKS.index("torch")


@pytest.mark.parametrize("model", [42, "net", torch.zeros(1)], ids=repr)
def test_what_is_no_model_is_refused(model):
    with pytest.raises(
        ArgumentError, match=r"torch\.nn\.Module, a keras\.Layer, a flax\.nnx"
    ):
        find(model)


def test_an_unknown_framework_is_named():
    with pytest.raises(ArgumentError, match="keras, torch"):
        named("mxnet")


def test_looking_for_a_framework_imports_none():
    code = (
        "import sys; from fanin.frameworks.find import find\n"
        "try: find(object())\n"
        "except Exception: print([m for m in ('torch', 'keras') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", VERBS)
def test_torch_has_every_verb_with_its_arguments(name):
    expected = list(inspect.signature(VERBS[name]).parameters)[1:]  # without self

    found = inspect.signature(getattr(named("torch"), name))

    assert list(found.parameters)[: len(expected)] == expected
    more = list(found.parameters.values())[len(expected) :]
    assert all(own.default is not own.empty for own in more)
