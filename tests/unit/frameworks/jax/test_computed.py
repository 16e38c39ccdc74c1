"""What JAX computes by a formula, under jit, has the bits that the sampler draws."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fanin.frameworks.jax.computed import _element, computed
from fanin.graph.layouts import keras_dense, torch_conv_transpose, torch_linear
from fanin.prescription.drawing import draw_of
from fanin.prescription.formulas import formula_of
from fanin.prescription.prescription import Part, Prescription

SEED = 11


def prescription(**fields):
    given = {
        "path": "encoder.3.weight",
        "shape": (48, 40),
        "dtype": "float32",
        "role": "",
        "scheme": "",
        "law": "normal",
        "reason": "",
        "std": 0.0371,
        "roles": torch_linear(),
    }
    return Prescription(**(given | fields))


PARTS = (
    Part(kind="gate", start=0, size=4, period=12, factor=1 / 3),
    Part(kind="gate", start=8, size=2, period=12, value=0.7),
)
CASES = {
    "normal": prescription(),
    "truncated": prescription(law="truncated_normal"),
    "uniform": prescription(law="uniform"),
    "constant": prescription(law="constant", std=0.0, value=1 / 3),
    "zeros": prescription(law="constant", std=0.0, value=0.0),
    "no std": prescription(std=0.0),
    "own seed": prescription(seed=2**63 + 5),
    "scalar": prescription(shape=(), roles=None),
    "empty": prescription(shape=(0, 3)),
    "vector": prescription(shape=(1001,), roles=None),
    "four axes": prescription(shape=(6, 5, 3, 3), roles=None),
    "blocks": prescription(n_blocks=4),
    "blocks of columns": prescription(n_blocks=5, roles=keras_dense()),
    "mirrored": prescription(mirrored=(0, 1)),
    "mirrored constant": prescription(
        law="constant", std=0.0, value=0.25, mirrored=(1,)
    ),
    "mirrored blocks": prescription(n_blocks=3, mirrored=(0,)),
    "parts": prescription(parts=PARTS),
    "parts of a vector": prescription(shape=(48,), roles=None, parts=PARTS),
    "parts of columns": prescription(
        shape=(40, 48), roles=keras_dense(), parts=PARTS, law="uniform"
    ),
    "parts of groups": prescription(
        shape=(12, 8, 3, 3), roles=torch_conv_transpose(2, groups=3), parts=PARTS
    ),
    "all at once": prescription(n_blocks=4, mirrored=(1,), parts=PARTS),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def planned(request):
    return request.param


def bits(array):
    return np.asarray(array).astype(np.float32).view(np.uint32)


def test_a_formula_under_jit_gives_the_bits_of_the_draw(planned):
    drawn = draw_of(planned, SEED)(None)
    made = jax.jit(partial(computed, formula_of(planned, SEED)))()

    assert made.dtype == np.float32
    assert made.shape == planned.shape
    assert np.array_equal(bits(made), bits(drawn))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("case", ["constant", "normal", "all at once"])
def test_a_narrow_dtype_is_rounded_once(case, dtype):
    p = prescription(**{**vars(CASES[case]), "dtype": dtype})
    drawn = draw_of(p, SEED)(None)
    made = jax.jit(partial(computed, formula_of(p, SEED)))()

    assert str(made.dtype) == dtype
    assert made.shape == p.shape
    assert np.array_equal(bits(made), bits(drawn))


def test_a_formula_run_step_by_step_gives_the_same_bits():
    p = CASES["all at once"]
    made = computed(formula_of(p, SEED))

    assert np.array_equal(bits(made), bits(draw_of(p, SEED)(None)))


def test_another_seed_gives_other_bits():
    p = CASES["normal"]
    made = computed(formula_of(p, SEED + 1))

    assert not np.any(bits(made) == bits(draw_of(p, SEED)(None)))


def test_an_index_beyond_32_bits_is_found():
    shape, block = (64,), (2**20, 3, 2**14 + 1)
    places = [np.random.default_rng(n).integers(0, n, 64) for n in block]
    whole = (places[0] * block[1] + places[1]) * block[2] + places[2]
    high, low = _element([jnp.asarray(p, jnp.uint32) for p in places], block, shape)
    found = np.asarray(high).astype(np.int64) * 2**32 + np.asarray(low)

    assert whole.max() > 2**33
    assert np.array_equal(found, whole)


@pytest.mark.parametrize(
    "p",
    [
        prescription(law="orthogonal"),
        prescription(law="identity"),
        prescription(dtype="float64"),
        prescription(law="values", shape=(1,), values=(1.0,), roles=None),
    ],
    ids=lambda p: f"{p.law} {p.dtype}",
)
def test_what_32_bits_cannot_give_has_no_formula(p):
    assert formula_of(p, SEED) is None
