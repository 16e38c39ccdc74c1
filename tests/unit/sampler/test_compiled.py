import numpy as np
import pytest
from llvmlite import binding

from fanin.sampler import Law, compiled, oracle
from fanin.sampler.recipe import recipe_of

KEY = 0xFEDCBA9876543210
RECIPES = {
    "normal": recipe_of(Law("normal", std=0.02)),
    "truncated": recipe_of(Law("truncated_normal", std=0.02)),
    "near cut": recipe_of(Law("truncated_normal", std=1.0, cut=0.1)),
    "far cut": recipe_of(Law("truncated_normal", std=1.0, cut=8.0)),
    "uniform": recipe_of(Law("uniform", bound=0.3)),
}


@pytest.fixture(scope="module")
def kernels():
    return compiled.Kernels(is_cached=True)


@pytest.fixture(params=RECIPES.values(), ids=RECIPES)
def recipe(request):
    return request.param


def both(kernels, recipe, where):
    expected = np.empty(len(where), dtype=np.float32)
    received = np.empty_like(expected)
    oracle.fill(recipe, KEY, where, expected)
    kernels.fill(recipe, KEY, where, received)
    return expected, received


@pytest.mark.parametrize("start", [0, 1, 2, 3, 2**34 - 5, 2**40 + 1, 2**63 - 30_000])
@pytest.mark.parametrize("length", [0, 1, 3, 1023, 1024, 1025, 20_001])
def test_a_span_has_the_oracles_bits(kernels, recipe, start, length):
    expected, received = both(kernels, recipe, range(start, start + length))

    assert np.array_equal(expected, received)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint64])
def test_any_elements_have_the_oracles_bits(kernels, recipe, dtype):
    index = np.random.default_rng(1).integers(0, 2**31 - 1, 5_003).astype(dtype)
    index.setflags(write=False)
    expected, received = both(kernels, recipe, index)

    assert np.array_equal(expected, received)


def test_far_elements_have_the_oracles_bits(kernels, recipe):
    index = np.random.default_rng(2).integers(2**32, 2**63 - 1, 5_003)
    expected, received = both(kernels, recipe, index)

    assert np.array_equal(expected, received)


def test_every_octave_is_compared(kernels):
    """A million words hold every octave that a word reaches with p > 1e-6."""
    words = oracle.words(KEY, range(1 << 20)) & np.uint32(0x7FFFFFFF)
    expected, received = both(kernels, RECIPES["normal"], range(1 << 20))

    assert len(np.unique(np.frexp(words | np.uint32(1))[1])) >= 18
    assert np.array_equal(expected, received)


def test_the_loops_are_vectorised():
    features = binding.get_host_cpu_features()
    if not features.get("avx2"):
        pytest.skip("the machine has no gather instructions")
    fresh = compiled.numba.njit(**compiled.OPTIONS)(compiled.span_kernel)
    numbers = (np.uint64(0), np.uint64(2**31), np.uint32(2**31 - 1), np.float32(1))
    halves = (np.uint32(1), np.uint32(2))
    fresh(0, halves, np.uint64(0), numbers, np.empty(8, dtype=np.float32))
    assembly = "".join(fresh.inspect_asm().values())

    assert "gather" in assembly
    assert "vpmuludq" in assembly
    assert "ymm" in assembly
