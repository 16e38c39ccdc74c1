"""One architecture in four frameworks, on every backend of Keras, is one graph.

Keras takes one backend a process, so that its models are recorded in processes of their
own, which print what `graph_summary` makes of the graphs.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = ("mlp", "cnn", "residual", "transformer", "lstm")
IN_PROCESS = ("flax", "equinox", "jax")
BACKENDS = ("torch", "jax", "tensorflow")
WRITINGS = (*IN_PROCESS, *(f"keras on {backend}" for backend in BACKENDS))


def loaded(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where Equinox looks its classes up
    spec.loader.exec_module(module)
    return module


@functools.cache
def summaries(writing):
    """Give the summary of each architecture in one writing; and what went wrong."""
    if writing.startswith("keras"):
        return of_keras(writing.rpartition(" ")[2])
    summary = loaded("graph_summary").summary
    graphs = loaded(f"same_in_{writing}").graphs()
    return {name: summary(graph) for name, graph in graphs.items()}, ""


def of_keras(backend):
    environment = {
        "KERAS_BACKEND": backend,
        "OMP_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(HERE / "same_in_keras.py")],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {}, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), ""


@pytest.fixture(scope="module", params=WRITINGS)
def written(request):
    found, error = summaries(request.param)
    assert found, error
    return found


@functools.cache
def in_torch():
    return summaries("torch")[0]


@pytest.mark.parametrize("name", CASES)
def test_the_computations_and_what_they_read_are_the_same(written, name):
    assert written[name]["computations"] == in_torch()[name]["computations"]


@pytest.mark.parametrize("name", CASES)
def test_numbers_are_the_same(written, name):
    # JAX writes constants such as SELU's in float32: 1e-7; eps is found to 3 digits.
    tolerance = {"eps": 1e-2, "p": 2e-6, "moments": 2e-6}
    found, expected = written[name]["numbers"], in_torch()[name]["numbers"]

    assert found.keys() == expected.keys()
    for computation, numbers in expected.items():
        assert found[computation].keys() == numbers.keys()
        for key, number in numbers.items():
            close = pytest.approx(number, rel=tolerance[key], abs=1e-7)
            assert found[computation][key] == close


@pytest.mark.parametrize("name", ["mlp", "cnn", "residual"])
def test_linear_nodes_have_the_same_units_and_biases(written, name):
    assert written[name]["linears"] == in_torch()[name]["linears"]


@pytest.mark.parametrize("name", ["mlp", "cnn", "residual"])
def test_the_operations_are_in_the_same_order(written, name):
    assert written[name]["operations"] == in_torch()[name]["operations"]


@pytest.mark.parametrize("name", CASES)
def test_scalings_by_a_number_have_the_same_product(written, name):
    assert written[name]["scaling"] == in_torch()[name]["scaling"]


@pytest.mark.parametrize("name", CASES)
def test_the_roles_of_the_parameters_are_the_same(written, name):
    def kinds(summary):
        # An LSTM has two biases in torch, which are added, and one elsewhere.
        left_out = "bias" if name == "lstm" else ""
        return [kind for kind in summary["roles"] if kind != left_out]

    assert kinds(written[name]) == kinds(in_torch()[name])


def test_two_architectures_have_different_computations():
    found = [tuple(in_torch()[name]["computations"]) for name in CASES]

    assert len(set(found)) == len(CASES)
