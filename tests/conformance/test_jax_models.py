"""Whole models of Flax NNX and Equinox: nothing opaque, every parameter understood."""

from __future__ import annotations

import numpy as np
import pytest

import fanin
from benchmarks.models import equinox, flax
from fanin.frameworks import jax as framework
from fanin.graph import Op, Task
from fanin.graph.roles import RoleKind, roles

ZOO = {**flax.zoo(), **equinox.zoo()}
NOT_UNDERSTOOD = {RoleKind.UNKNOWN, RoleKind.UNREAD}


@pytest.fixture(params=ZOO)
def model_and_batch(request):
    return ZOO[request.param]()


def test_nothing_is_opaque_and_every_role_is_known(model_and_batch):
    model, batch = model_and_batch
    graph = framework.record(model, Task(batch=batch))

    assert not [node.primitives for node in graph.nodes if node.op is Op.OPAQUE]
    found = roles(graph)
    unknown = sum(
        p.size for p in graph.parameters if found[p.path].kind in NOT_UNDERSTOOD
    )
    assert unknown <= 0.01 * sum(p.size for p in graph.parameters)


@pytest.mark.slow
def test_a_plan_gives_a_model_that_can_learn(model_and_batch):
    model, batch = model_and_batch
    plan = fanin.plan(model, batch, seed=0)
    made = fanin.apply(plan, model)
    measured = framework.measure(made, Task(batch=batch))

    assert np.isfinite(measured.outputs).all()
    for path, gradient in measured.gradients.items():
        assert gradient is not None, path
        assert np.isfinite(gradient).all(), path
