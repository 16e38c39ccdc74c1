"""Threads, and where the elements start, change no bit of any law in any dtype."""

import ml_dtypes
import numpy as np
import pytest

from fanin.sampler import Law
from fanin.sampler.engine import ENOUGH_FOR_A_THREAD, Engine
from fanin.sampler.recipe import recipe_of

KEY = 0x0F1E2D3C4B5A6978
LAWS = {
    "normal": Law("normal", std=0.02),
    "truncated": Law("truncated_normal", std=0.02),
    "uniform": Law("uniform", bound=0.02),
}
DTYPES = ("float32", "float64", "float16", "bfloat16")
START, LENGTH = 2**33 - 7, 8 * ENOUGH_FOR_A_THREAD + 5
"""An odd start, elements on both sides of 2³³, and enough for eight threads."""


@pytest.fixture(scope="module")
def compiling():
    return Engine(price=0)


def bits(numbers):
    return np.ascontiguousarray(numbers).view(f"u{numbers.itemsize}")


@pytest.fixture(params=DTYPES, scope="module")
def dtype(request):
    return np.dtype(getattr(ml_dtypes, request.param, request.param))


@pytest.fixture(params=LAWS.values(), ids=LAWS, scope="module")
def recipe(request):
    return recipe_of(request.param)


@pytest.fixture(scope="module")
def whole(compiling, recipe, dtype):
    span = range(START, START + LENGTH)
    return compiling.numbers(recipe, KEY, span, dtype=dtype, n_threads=1)


@pytest.mark.parametrize("n_threads", range(2, 9))
def test_any_number_of_threads_gives_the_same_bits(
    compiling, recipe, dtype, whole, n_threads
):
    span = range(START, START + LENGTH)
    numbers = compiling.numbers(recipe, KEY, span, dtype=dtype, n_threads=n_threads)

    assert np.array_equal(bits(numbers), bits(whole))


@pytest.mark.parametrize("cut", [1, 2, 3, 1021, 99_999])
def test_any_start_gives_the_same_bits(compiling, recipe, dtype, whole, cut):
    span = range(START + cut, START + LENGTH)
    numbers = compiling.numbers(recipe, KEY, span, dtype=dtype, n_threads=3)

    assert np.array_equal(bits(numbers), bits(whole[cut:]))


def test_numpy_gives_the_same_bits(recipe, dtype, whole):
    span = range(START, START + 50_001)
    plain = Engine(price=1 << 62).numbers(recipe, KEY, span, dtype=dtype)

    assert np.array_equal(bits(plain), bits(whole[:50_001]))
