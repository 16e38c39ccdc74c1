"""What reflections leave of rounding, memory and threads."""

import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from fanin.graph import layouts
from fanin.sampler import Law, draw
from fanin.sampler.engine import ENGINE
from fanin.sampler.haar import inverse_of_upper, reflect

SIZES = [(1, 1), (2, 1), (130, 129), (700, 300), (512, 512)]


def normals(n_long, n_short, dtype, n_matrices=1):
    shape = (n_matrices, n_long, n_short)
    return np.random.default_rng(n_long).standard_normal(shape).astype(dtype)


def error_of(matrix):
    exact = matrix.astype(np.float64)
    return np.abs(exact.T @ exact - np.eye(matrix.shape[1])).max()


@pytest.mark.parametrize(("n_long", "n_short"), SIZES)
def test_float32_is_orthogonal_to_the_rounding_of_its_entries(n_long, n_short):
    """LAPACK's float32 QR leaves 7·10⁻⁷ at 512 × 512, twice as much and more."""
    numbers = normals(n_long, n_short, np.float32)
    reflect(numbers)

    assert error_of(numbers[0]) < 5e-7


@pytest.mark.parametrize(("n_long", "n_short"), SIZES)
def test_float32_is_the_matrix_of_float64_rounded(n_long, n_short):
    numbers = normals(n_long, n_short, np.float32)
    exact = numbers.astype(np.float64)
    reflect(numbers)
    reflect(exact)

    assert np.abs(numbers - exact).max() < 5e-7
    assert error_of(exact[0]) < 1e-14


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_matrices_stacked_are_the_matrices_one_by_one(dtype):
    stack = normals(140, 131, dtype, n_matrices=3)
    single = [stack[i : i + 1].copy() for i in range(3)]
    reflect(stack)
    for one in single:
        reflect(one)

    assert np.allclose(stack, np.concatenate(single), rtol=0, atol=3e-7)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_columns_side_by_side_in_memory_give_the_same_matrix(dtype):
    rows = normals(300, 200, dtype)
    columns = np.swapaxes(np.ascontiguousarray(np.swapaxes(rows, 1, 2)), 1, 2)
    reflect(rows)
    reflect(columns)

    assert np.allclose(rows, columns, rtol=0, atol=3e-7)


@pytest.mark.parametrize("n", [1, 7, 16, 44, 128])
def test_a_triangular_matrix_is_inverted_by_halves(n):
    upper = np.triu(normals(n, n, np.float64, n_matrices=2)) + 5 * np.eye(n)

    assert np.allclose(inverse_of_upper(upper) @ upper, np.eye(n), rtol=0, atol=1e-12)


def peak_of(make):
    """Bytes allocated on the way, at the most."""
    tracemalloc.start()
    try:
        make()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("is_transposed", [False, True])
def test_reflections_take_700_columns(is_transposed):
    numbers = normals(1600, 1200, np.float32)
    if is_transposed:
        numbers = np.swapaxes(normals(1200, 1600, np.float32), 1, 2)

    assert peak_of(lambda: reflect(numbers)) < 700 * 4 * 1600


LAYOUTS = {
    "pytorch": ((512, 256, 3, 3), layouts.torch_conv(2), 1),
    "keras dense": ((2304, 512), layouts.keras_dense(), 1),
    "keras": ((3, 3, 256, 512), layouts.keras_conv(2), 2),
}


@pytest.mark.parametrize(("shape", "roles", "n_arrays"), LAYOUTS.values(), ids=LAYOUTS)
def test_a_matrix_is_made_in_its_own_memory_where_it_lies_as_one(
    shape, roles, n_arrays
):
    law = Law("orthogonal", gain=1.5, roles=roles)
    ENGINE.expect(1 << 24)  # loads the kernels, which take memory of their own
    draw("w", shape, law, seed=0)
    most = (n_arrays * 512 + 700) * 2304 * 4

    assert peak_of(lambda: draw("w", shape, law, seed=0)) < most


DIGESTS = """
import hashlib
from fanin.sampler import Law, draw
for shape in ((513, 513), (700, 1100), (1333, 777), (2000, 3)):
    print(hashlib.sha256(draw("w", shape, Law("orthogonal"), seed=0)).hexdigest())
"""


def digests(n_threads):
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(n_threads))
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **threads},
    )
    return done.stdout.split()


def test_one_process_after_another_draws_the_same_bits():
    assert digests(1) == digests(1)
