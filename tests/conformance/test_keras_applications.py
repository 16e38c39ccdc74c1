"""Every family of keras.applications is recorded, on each backend of Keras.

Keras takes one backend a process, so this file is run as a program for each; it prints
what became of each model.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEAST_KNOWN = 0.99
"""Share of a model's numbers whose parameter has a role that fanin knows."""

LINEARS = {
    # Convolutions and dense layers of each, counted in the models' own layers by
    # test_every_layer_with_a_kernel_is_a_linear_node.
    "convnext": 59,
    "densenet": 121,
    "efficientnet": 82,
    "efficientnet_v2": 92,
    "inception": 95,
    "inception_resnet": 245,
    "mobilenet": 28,
    "mobilenet_v2": 53,
    "mobilenet_v3": 54,
    "nasnet": 357,
    "resnet": 54,
    "resnet_v2": 54,
    "vgg": 16,
    "xception": 75,
}
EVERYDAY = {"torch": ("mobilenet", "vgg"), "tensorflow": ("vgg",)}


def cases():
    for backend in ("torch", "jax", "tensorflow"):
        for family in LINEARS:
            if backend == "torch" and family == "nasnet":
                continue  # Keras itself refuses to build it there
            marks = () if family in EVERYDAY.get(backend, ()) else pytest.mark.slow
            yield pytest.param(backend, family, id=f"{backend}-{family}", marks=marks)


@functools.cache
def found_on(backend, family):
    settings = {"KERAS_BACKEND": backend, "OMP_NUM_THREADS": "1"}
    settings |= {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, family],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(("backend", "family"), list(cases()))
def test_no_primitive_is_unknown(backend, family):
    assert found_on(backend, family)["opaque"] == {}


@pytest.mark.parametrize(("backend", "family"), list(cases()))
def test_the_roles_of_the_parameters_are_known(backend, family):
    assert found_on(backend, family)["known"] >= LEAST_KNOWN


@pytest.mark.parametrize(("backend", "family"), list(cases()))
def test_every_layer_with_a_kernel_is_a_linear_node(backend, family):
    found = found_on(backend, family)

    assert found["linears"] == found["kernels"] == LINEARS[family]


def result(family):
    """Build the smallest model of a family, record it and count."""
    from benchmarks.models import keras_applications
    from fanin.frameworks import keras as framework
    from fanin.graph import Op, Task
    from fanin.graph.roles import roles

    member = keras_applications.buildable()[family][0]
    model, batch = keras_applications.build(family, member)
    graph = framework.record(model, Task(batch=batch))
    held = roles(graph)
    sizes = {p.path: p.size for p in graph.parameters}
    known = sum(size for path, size in sizes.items() if held[path].is_known)
    unknown = (n.primitives[0] for n in graph.nodes if n.op is Op.OPAQUE)
    return {
        "linears": len({node.weight.path for node in graph.linears}),
        "kernels": sum(path.endswith("kernel") for path in sizes),
        "known": known / sum(sizes.values()),
        "opaque": dict(Counter(unknown)),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(result(sys.argv[1])) + "\n")
