import builtins
import math

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fanin.errors import ArgumentError, MissingDependencyError
from fanin.sampler import Law, draw

SHAPE = (37, 23)
LAWS = {
    "normal": Law("normal", std=0.02),
    "truncated": Law("truncated_normal", std=0.02),
    "uniform": Law("uniform", std=0.02),
    "constant": Law("constant", value=0.3),
    "orthogonal": Law("orthogonal", gain=1.5),
    "identity": Law("identity"),
}


@pytest.fixture(params=LAWS.values(), ids=LAWS)
def law(request):
    return request.param


@pytest.fixture(params=["float32", "float64", "float16", "bfloat16"])
def dtype(request):
    return request.param


def same_bits(one, other):
    return one.dtype == other.dtype and one.tobytes() == other.tobytes()


def test_shape_and_dtype_are_those_asked_for(law, dtype):
    weight = draw("a", SHAPE, law, seed=0, dtype=dtype)

    assert weight.shape == SHAPE
    assert weight.dtype.name == dtype
    assert weight.flags.c_contiguous


@pytest.mark.parametrize("n_shards", [2, 3, 5, 8])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_shard_drawn_alone_is_that_part_of_the_whole(law, dtype, axis, n_shards):
    whole = draw("a", SHAPE, law, seed=0, dtype=dtype)
    index = np.arange(whole.size).reshape(SHAPE)
    shards = np.array_split(index, n_shards, axis=axis)
    parts = np.array_split(whole, n_shards, axis=axis)
    for shard, part in zip(shards, parts, strict=True):
        drawn = draw("a", SHAPE, law, seed=0, dtype=dtype, index=shard.ravel())

        assert same_bits(drawn, part.ravel())


@given(st.lists(st.integers(0, 37 * 23 - 1)))
def test_any_elements_are_those_of_the_whole(index):
    law = LAWS["truncated"]
    whole = draw("a", SHAPE, law, seed=0).ravel()

    assert same_bits(
        draw("a", SHAPE, law, seed=0, index=index), whole[np.array(index, dtype=int)]
    )


def test_the_order_of_calls_changes_nothing(law):
    names = ["a", "b", "c"]
    forward = {name: draw(name, SHAPE, law, seed=0) for name in names}
    backward = {name: draw(name, SHAPE, law, seed=0) for name in reversed(names)}

    assert all(same_bits(forward[name], backward[name]) for name in names)


def test_the_shape_lays_the_same_numbers_out():
    law = LAWS["normal"]

    assert same_bits(
        draw("a", (851,), law, seed=0), draw("a", SHAPE, law, seed=0).ravel()
    )
    assert same_bits(
        draw("a", (100, 37, 23), law, seed=0)[0], draw("a", SHAPE, law, seed=0)
    )


def test_a_wrapped_parameter_draws_the_same():
    wrapped = draw(
        "_fsdp_wrapped_module._orig_mod.0.weight", SHAPE, LAWS["normal"], seed=0
    )

    assert same_bits(wrapped, draw("0.weight", SHAPE, LAWS["normal"], seed=0))


@pytest.mark.parametrize(
    "other", [{"name": "b"}, {"seed": 1}, {"stream": 1}], ids=["name", "seed", "stream"]
)
def test_another_address_draws_other_numbers(other):
    address = {"name": "a", "seed": 0, "stream": 0}
    one = draw(shape=SHAPE, law=LAWS["normal"], **address)
    another = draw(shape=SHAPE, law=LAWS["normal"], **(address | other))

    assert np.mean(one == another) < 0.01


@pytest.mark.parametrize("name", ["normal", "truncated", "uniform", "orthogonal"])
def test_half_precision_is_float32_rounded_once(name):
    law = LAWS[name]
    single = draw("a", (300, 300), law, seed=0)
    as_torch = torch.from_numpy(single)
    half = draw("a", (300, 300), law, seed=0, dtype="float16")
    brain = draw("a", (300, 300), law, seed=0, dtype="bfloat16")

    assert same_bits(half, single.astype(np.float16))
    assert same_bits(half, as_torch.to(torch.float16).numpy())
    assert same_bits(brain, single.astype(ml_dtypes.bfloat16))
    assert np.array_equal(
        brain.view(np.int16), as_torch.to(torch.bfloat16).view(torch.int16).numpy()
    )


def test_rounding_is_to_even_down_to_subnormal_halves():
    single = draw("a", (100_000,), Law("normal", std=1e-6), seed=0)
    half = draw("a", (100_000,), Law("normal", std=1e-6), seed=0, dtype="float16")
    # Multiples of 2⁻²⁴, found in float64 by NumPy's own rounding half to even.
    expected = np.rint(single.astype(np.float64) * 2.0**24) * 2.0**-24

    assert np.array_equal(half.astype(np.float64), expected)


def test_float64_refines_float32():
    single = draw("a", (1000,), Law("normal", std=1.0), seed=0)
    double = draw("a", (1000,), Law("normal", std=1.0), seed=0, dtype="float64")

    assert np.abs(single - double).max() < 1e-5
    assert np.mean(double == double.astype(np.float32)) < 0.01


@pytest.mark.parametrize("kind", ["normal", "truncated_normal", "uniform"])
def test_a_law_without_width_is_positive_zero(kind, dtype):
    weight = draw("a", (5,), Law(kind, std=0.0), seed=0, dtype=dtype)

    assert not np.any(weight)
    assert not np.any(np.signbit(weight))


@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0, 2), [2, 2]], ids=str)
def test_scalars_and_empty_shapes_are_drawn(shape):
    assert draw("a", shape, LAWS["normal"], seed=0).shape == tuple(shape)


@pytest.mark.parametrize(
    ("index", "received"),
    [([-1], "-1"), ([0, 851], "851"), ([[1]], "int64 of shape"), ([0.5], "float64 of")],
)
def test_an_index_outside_the_shape_is_refused(index, received):
    with pytest.raises(
        ArgumentError, match=f"'index' must be .*Received: .*{received}"
    ):
        draw("a", SHAPE, LAWS["normal"], seed=0, index=index)


def test_an_index_of_a_huge_parameter_needs_no_memory_for_it():
    index = [0, 2**40, 2**63 - 1]
    numbers = draw("a", (2**23, 2**40), LAWS["normal"], seed=0, index=index)

    assert len(set(numbers.tolist())) == 3


@pytest.mark.parametrize("shape", [(-1,), (2.0,), (2**32, 2**32), 3], ids=str)
def test_a_shape_that_cannot_be_is_refused(shape):
    with pytest.raises(ArgumentError, match="'shape' must be a sequence"):
        draw("a", shape, LAWS["normal"], seed=0)


@pytest.mark.parametrize("dtype", ["int32", "complex64", "float8_e4m3fn", np.int8])
def test_a_dtype_that_is_not_drawn_is_refused(dtype):
    with pytest.raises(ArgumentError, match="'dtype' must be one of float32, float64"):
        draw("a", SHAPE, LAWS["normal"], seed=0, dtype=dtype)


@pytest.mark.parametrize(
    "dtype", [np.float32, np.dtype("float32"), ml_dtypes.bfloat16], ids=str
)
def test_a_dtype_is_a_name_or_numpys(dtype):
    weight = draw("a", SHAPE, LAWS["normal"], seed=0, dtype=dtype)

    assert weight.dtype == np.dtype(dtype)


def test_bfloat16_without_ml_dtypes_names_the_package(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **options):
        if name == "ml_dtypes":
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingDependencyError, match="bfloat16 draw needs 'ml_dtypes'"):
        draw("a", SHAPE, LAWS["normal"], seed=0, dtype="bfloat16")


@pytest.mark.parametrize(
    ("law", "dtype"),
    [
        (Law("normal", std=2e4), "float16"),
        (Law("uniform", bound=1e5), "float16"),
        (Law("constant", value=1e6), "float16"),
        (Law("constant", value=1e39), "float32"),
        (Law("orthogonal", gain=1e39), "bfloat16"),
    ],
)
def test_a_law_that_the_dtype_cannot_hold_is_refused(law, dtype):
    with pytest.raises(ArgumentError, match=f"a law whose numbers {dtype} can hold"):
        draw("a", SHAPE, law, seed=0, dtype=dtype)


def test_a_uniform_law_takes_std_or_bound():
    by_std = draw("a", SHAPE, Law("uniform", std=0.1), seed=0)
    by_bound = draw("a", SHAPE, Law("uniform", bound=0.1 * math.sqrt(3)), seed=0)

    assert same_bits(by_std, by_bound)


def test_doubling_the_std_doubles_every_number():
    one = draw("a", SHAPE, Law("normal", std=0.1), seed=0)
    two = draw("a", SHAPE, Law("normal", std=0.2), seed=0)

    assert np.array_equal(2 * one, two)
