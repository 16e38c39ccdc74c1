import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

from fanin.sampler import Law, compiled, engine
from fanin.sampler.engine import Engine, SlowSamplerWarning, load_kernels
from fanin.sampler.recipe import recipe_of
from fanin.sampler.rows import Rows

KEY = 0x0123456789ABCDEF
NORMAL = recipe_of(Law("normal", std=1.0))
RECIPES = {
    "normal": NORMAL,
    "truncated": recipe_of(Law("truncated_normal", std=1.0)),
    "uniform": recipe_of(Law("uniform", bound=1.0)),
}
N_NUMBERS = (1 << 21) + 5
ALL = range(7, 7 + N_NUMBERS)


@pytest.fixture(scope="module")
def compiling():
    return Engine(price=0)


@pytest.fixture(scope="module")
def renting():
    return Engine(price=1 << 62)


@pytest.fixture(scope="module")
def whole(renting):
    return {name: renting.numbers(r, KEY, ALL) for name, r in RECIPES.items()}


@pytest.mark.parametrize("n_threads", range(1, 9))
@pytest.mark.parametrize("name", RECIPES)
def test_the_number_of_threads_changes_no_bit(compiling, whole, name, n_threads):
    numbers = compiling.numbers(RECIPES[name], KEY, ALL, n_threads=n_threads)

    assert np.array_equal(numbers, whole[name])


@pytest.mark.parametrize("n_threads", [2, 8])
def test_the_number_of_threads_changes_no_bit_of_numpys(renting, whole, n_threads):
    numbers = renting.numbers(NORMAL, KEY, ALL, n_threads=n_threads)

    assert np.array_equal(numbers, whole["normal"])


@pytest.mark.parametrize("n_threads", [1, 3])
def test_the_number_of_threads_changes_no_bit_of_float64(compiling, n_threads):
    span = range(1 << 19)
    numbers = compiling.numbers(
        NORMAL, KEY, span, dtype=np.float64, n_threads=n_threads
    )
    parts = [
        compiling.numbers(NORMAL, KEY, span[i : i + 99_999], dtype=np.float64)
        for i in range(0, len(span), 99_999)
    ]

    assert np.array_equal(numbers, np.concatenate(parts))


@pytest.mark.parametrize("length", [1, 1000, 1024, 262_144, 1_000_003])
def test_chunks_of_any_length_make_the_whole(compiling, whole, length):
    starts = range(0, 1 << 20, length) if length > 1 else range(2000)
    parts = [compiling.numbers(NORMAL, KEY, ALL[i : i + length]) for i in starts]
    joined = np.concatenate(parts)

    assert np.array_equal(joined, whole["normal"][: len(joined)])


def test_llvm_stays_away_until_its_price_is_paid():
    code = (
        "import sys, numpy as np\n"
        "from fanin.sampler import Law, draw\n"
        "for i in range(50): draw(str(i), (64, 64), Law('normal', std=1.0), seed=0)\n"
        "print('llvmlite' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "False"


def test_kernels_are_loaded_once_when_the_price_is_paid(monkeypatch):
    loaded = []
    monkeypatch.setattr(engine, "load_kernels", lambda: loaded.append(1))
    some = Engine(price=3 * (30 + engine.A_CALL))
    counts = []
    for _ in range(9):
        some.numbers(NORMAL, KEY, range(30))
        counts.append(len(loaded))

    assert counts == [0, 0, 1, 1, 1, 1, 1, 1, 1]


def test_kernels_are_loaded_before_the_first_number_of_many(monkeypatch):
    loaded = []
    monkeypatch.setattr(engine, "load_kernels", lambda: loaded.append(1))
    some = Engine(price=10**6)
    some.expect(999_999 - 20 * engine.A_CALL, 20)

    assert not loaded

    some.expect(1, 0)

    assert loaded


class WrongKernels:
    """Kernels that write zeros."""

    def fill(self, recipe, key, where, out):
        """Write zeros."""
        out[:] = 0


def test_kernels_with_other_bits_are_not_used(monkeypatch, whole):
    monkeypatch.setattr(compiled, "Kernels", lambda cache: WrongKernels())
    some = Engine(price=0)
    with pytest.warns(SlowSamplerWarning, match="give other numbers here"):
        numbers = some.numbers(NORMAL, KEY, ALL[:1000])

    assert np.array_equal(numbers, whole["normal"][:1000])
    assert np.array_equal(some.numbers(NORMAL, KEY, ALL[:9]), numbers[:9])


class BrokenKernels:
    """Kernels that LLVM cannot compile."""

    def fill(self, recipe, key, where, out):
        """Refuse."""
        raise RuntimeError("no such instruction")


def test_where_a_kernel_does_not_compile_numpy_draws(monkeypatch, whole):
    monkeypatch.setattr(compiled, "Kernels", lambda cache: BrokenKernels())
    with pytest.warns(SlowSamplerWarning, match="no such instruction"):
        numbers = Engine(price=0).numbers(NORMAL, KEY, ALL[:1000])

    assert np.array_equal(numbers, whole["normal"][:1000])


def test_without_llvm_numpy_draws_and_says_so(monkeypatch, whole):
    monkeypatch.delitem(sys.modules, "fanin.sampler.compiled", raising=False)
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    with pytest.warns(SlowSamplerWarning, match="llvmlite cannot be imported"):
        numbers = Engine(price=0).numbers(NORMAL, KEY, ALL[:1000])

    assert np.array_equal(numbers, whole["normal"][:1000])


def test_where_llvm_cannot_compile_numpy_draws_and_says_so(monkeypatch):
    def refuse(cache):
        raise RuntimeError("no target for this machine")

    monkeypatch.setattr(compiled, "Kernels", refuse)
    with pytest.warns(SlowSamplerWarning, match="no target for this machine"):
        assert load_kernels() is None


def test_the_kernels_can_be_switched_off(monkeypatch):
    monkeypatch.setenv("FANIN_SAMPLER", "numpy")

    assert load_kernels() is None


@pytest.mark.parametrize("dtype", ["float16", ml_dtypes.bfloat16])
def test_halves_are_the_same_from_numpy_and_from_the_kernels(compiling, renting, dtype):
    ours = compiling.numbers(NORMAL, KEY, ALL[:5_000], dtype=dtype)
    plain = renting.numbers(NORMAL, KEY, ALL[:5_000], dtype=dtype)

    assert ours.dtype == dtype
    assert np.array_equal(ours, plain)


def rows(length, step, n_runs=4001, first=2):
    return Rows(np.arange(n_runs) * step + first, length)


@pytest.mark.parametrize("n_threads", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
@pytest.mark.parametrize(
    "where",
    [
        rows(1, 3),
        rows(7, 13),
        rows(8, 64, first=4),
        rows(300, 999, 700),
        rows(40_001, 70_000, 9),
        rows(12_288, 20_000, 5, first=0),
        rows(0, 1),
        rows(5, 9, 0),
    ],
    ids=lambda where: f"{len(where.heads)} of {where.length}",
)
def test_runs_have_the_bits_of_their_elements(
    compiling, renting, where, dtype, n_threads
):
    kind = ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype
    expected = renting.numbers(NORMAL, KEY, where.indices()[:50_000], dtype=kind)
    ours = compiling.numbers(NORMAL, KEY, where, dtype=kind, n_threads=n_threads)
    plain = renting.numbers(NORMAL, KEY, where, dtype=kind, n_threads=n_threads)

    assert ours.tobytes() == plain.tobytes()
    assert ours[:50_000].tobytes() == expected.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_a_factor_multiplies_before_halves_are_rounded(compiling, renting, dtype):
    law, span = Law("truncated_normal", std=0.3), range(5, 10_005)
    wide = "float64" if dtype == "float64" else "float32"
    plain = renting.numbers(recipe_of(law), KEY, span, dtype=wide)
    expected = (plain * np.dtype(wide).type(-0.7)).astype(dtype)
    scaled = [
        some.numbers(recipe_of(law, -0.7), KEY, span, dtype=dtype)
        for some in (compiling, renting)
    ]

    assert np.array_equal(scaled[0], expected)
    assert np.array_equal(scaled[1], expected)


def test_memory_of_bfloat16_may_be_named_by_its_bits(compiling, renting):
    named = renting.numbers(NORMAL, KEY, ALL[:3000], dtype=ml_dtypes.bfloat16)
    for some in (compiling, renting):
        bits = some.numbers(NORMAL, KEY, ALL[:3000], dtype=np.uint16)

        assert bits.tobytes() == named.tobytes()
