import subprocess
import sys

import ml_dtypes
import numpy as np
import pytest

from fanin.sampler import Law, compiled, engine
from fanin.sampler.engine import Engine, SlowSamplerWarning, load_kernels
from fanin.sampler.recipe import recipe_of

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
    some = Engine(price=100)
    for _ in range(9):
        some.numbers(NORMAL, KEY, range(30))

    assert len(loaded) == 1
    assert some.paid == 270


def test_float64_never_loads_llvm(monkeypatch):
    monkeypatch.setattr(engine, "load_kernels", lambda: pytest.fail("loaded"))
    numbers = Engine(price=0).numbers(NORMAL, KEY, range(9), dtype=np.float64)

    assert numbers.dtype == np.float64


def wrong_kernels():
    class Wrong:
        def fill(self, recipe, key, where, out):
            out[:] = 0

    return Wrong()


def test_kernels_with_other_bits_are_not_used(monkeypatch):
    monkeypatch.setattr(compiled, "Kernels", wrong_kernels)
    with pytest.warns(SlowSamplerWarning, match="give other numbers here"):
        kernels = load_kernels()

    assert kernels is None


def test_without_llvm_numpy_draws_and_says_so(monkeypatch, whole):
    monkeypatch.delitem(sys.modules, "fanin.sampler.compiled", raising=False)
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    with pytest.warns(SlowSamplerWarning, match="llvmlite cannot be imported"):
        numbers = Engine(price=0).numbers(NORMAL, KEY, ALL[:1000])

    assert np.array_equal(numbers, whole["normal"][:1000])


def test_where_llvm_cannot_compile_numpy_draws_and_says_so(monkeypatch):
    def refuse():
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


def test_there_is_at_least_one_core(monkeypatch):
    assert engine.available_cores() >= 1
    monkeypatch.delattr(engine.os, "sched_getaffinity", raising=False)

    assert engine.available_cores() >= 1
