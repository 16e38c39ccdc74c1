import ml_dtypes
import numpy as np
import pytest
from llvmlite import binding

from fanin.sampler import Law, compiled, oracle
from fanin.sampler.kernel_code import LIST, ROWS, SPAN, kernel_code
from fanin.sampler.recipe import NORMAL, TRUNCATED, UNIFORM, recipe_of

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
    return compiled.Kernels()


@pytest.fixture(params=RECIPES.values(), ids=RECIPES)
def recipe(request):
    return request.param


@pytest.fixture(params=[np.float32, np.float64])
def dtype(request):
    return request.param


def both(kernels, recipe, where, dtype=np.float32):
    expected = np.empty(len(where), dtype=dtype)
    received = np.empty_like(expected)
    oracle.fill(recipe, KEY, where, expected)
    kernels.fill(recipe, KEY, where, received)
    return expected, received


@pytest.mark.parametrize("start", [0, 1, 2, 3, 2**34 - 5, 2**40 + 1, 2**63 - 30_000])
@pytest.mark.parametrize("length", [0, 1, 3, 1023, 1024, 1025, 20_001])
def test_a_span_has_the_oracles_bits(kernels, recipe, dtype, start, length):
    expected, received = both(kernels, recipe, range(start, start + length), dtype)

    assert np.array_equal(expected, received)


@pytest.mark.parametrize("kind", [np.int32, np.int64, np.uint64])
def test_any_elements_have_the_oracles_bits(kernels, recipe, dtype, kind):
    index = np.random.default_rng(1).integers(0, 2**31 - 1, 5_003).astype(kind)
    index.setflags(write=False)
    expected, received = both(kernels, recipe, index, dtype)

    assert np.array_equal(expected, received)


def test_far_elements_have_the_oracles_bits(kernels, recipe, dtype):
    index = np.random.default_rng(2).integers(2**32, 2**63 - 1, 5_003)
    expected, received = both(kernels, recipe, index, dtype)

    assert np.array_equal(expected, received)


def test_every_octave_is_compared(kernels):
    """A million words hold every octave that a word reaches with p > 1e-6."""
    words = oracle.words(KEY, range(1 << 20)) & np.uint32(0x7FFFFFFF)
    expected, received = both(kernels, RECIPES["normal"], range(1 << 20))

    assert len(np.unique(np.frexp(words | np.uint32(1))[1])) >= 18
    assert np.array_equal(expected, received)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
@pytest.mark.parametrize("scale", [1e-8, 3e-5, 1.0, 9_000.0])
def test_halves_are_float32_rounded_once_to_nearest(kernels, dtype, scale):
    """Scales reach from the smallest subnormal float16 to its largest number."""
    for law in (Law("normal", std=scale), Law("uniform", bound=scale)):
        recipe, span = recipe_of(law), range(5, 200_005)
        exact = np.empty(len(span), dtype=np.float32)
        oracle.fill(recipe, KEY, span, exact)
        received = np.empty(len(span), dtype=dtype)
        kernels.fill(recipe, KEY, span, received)

        assert np.array_equal(received.view(np.uint16), exact.astype(dtype).view("u2"))


@pytest.mark.parametrize(
    "processor", ["x86-64", "nehalem", "haswell", "skylake-avx512"]
)
def test_code_for_another_processor_has_the_same_bits(recipe, dtype, processor):
    """SSE2, SSE4, AVX2 and AVX-512 code, as far as this processor runs it."""
    needs = {"haswell": "avx2", "skylake-avx512": "avx512bw", "nehalem": "sse4.2"}
    features = binding.get_host_cpu_features()
    if not features.get(needs.get(processor, "sse2")):
        pytest.skip(f"this machine cannot run code for {processor}")
    expected, received = both(
        compiled.Kernels(processor), recipe, range(3, 5_000), dtype
    )

    assert np.array_equal(expected, received)


@pytest.mark.parametrize(
    ("processor", "words"),
    [
        ("skylake-avx512", ("zmm", "vpmuludq", "vpgather")),
        ("skylake", ("ymm", "vpmuludq", "vpgather")),
        ("x86-64", ("xmm", "pmuludq")),
    ],
)
def test_the_code_is_vectorised(processor, words):
    if not binding.get_default_triple().startswith("x86_64"):
        pytest.skip("the words are those of x86-64")
    kernels = compiled.Kernels(processor)
    assembly = kernels.assembly(NORMAL, "float32", SPAN)

    assert all(word in assembly for word in words)


@pytest.mark.parametrize("kind", [NORMAL, TRUNCATED, UNIFORM])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("form", [SPAN, ROWS, LIST])
def test_the_code_holds_no_multiplication_but_of_halves(kind, dtype, form):
    """A product of 64-bit numbers takes three times as long as one of halves."""
    if not binding.get_default_triple().startswith("x86_64"):
        pytest.skip("the words are those of x86-64")
    assembly = compiled.Kernels("skylake-avx512").assembly(kind, dtype, form)

    assert "vpmullq" not in assembly


def test_the_code_of_a_kernel_is_the_same_at_every_writing():
    assert kernel_code(NORMAL, "float16", LIST) == kernel_code(NORMAL, "float16", LIST)


def test_threads_that_ask_at_once_share_one_compilation():
    from concurrent.futures import ThreadPoolExecutor

    kernels = compiled.Kernels()
    outs = [np.empty(1000, dtype=np.float32) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda o: kernels.fill(RECIPES["normal"], KEY, range(1000), o), outs
            )
        )

    assert all(np.array_equal(outs[0], out) for out in outs)
    assert len(kernels._engines) == 1
