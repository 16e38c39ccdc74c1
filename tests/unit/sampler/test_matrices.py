import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.errors import ArgumentError
from fanin.graph import AxisRoles, layouts
from fanin.sampler import Law, draw
from fanin.sampler.haar import REFLECTIONS_AT_ONCE
from fanin.sampler.matrices import haar, identity, view_of


def reflections_one_by_one(gaussians):
    """The definition: H₀ H₁ … D, each a full matrix."""
    n_long, n_short = gaussians.shape
    product = np.eye(n_long)
    signs = np.zeros((n_long, n_short))
    for k in range(n_short):
        x = gaussians[k:, k]
        sign = -1.0 if x[0] < 0 else 1.0
        v = x.copy()
        v[0] += sign * np.linalg.norm(x)
        reflection = np.eye(n_long)
        reflection[k:, k:] -= 2 * np.outer(v, v) / (v @ v)
        product @= reflection
        signs[k, k] = -sign
    return product @ signs


SHAPES = [(1, 1), (2, 1), (2, 2), (7, 3), (40, 40), (150, 140), (150, 129)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_blocks_of_reflections_are_the_reflections_one_by_one(shape):
    gaussians = np.random.default_rng(1).standard_normal(shape)

    assert np.allclose(
        haar(gaussians[None])[0], reflections_one_by_one(gaussians), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("n", [1, REFLECTIONS_AT_ONCE, 3 * REFLECTIONS_AT_ONCE + 1])
def test_columns_are_orthonormal(n):
    matrix = haar(np.random.default_rng(2).standard_normal((1, 2 * n, n)))[0]

    assert np.abs(matrix.T @ matrix - np.eye(n)).max() < 1e-12


def test_the_first_column_is_the_first_gaussians_made_unit():
    gaussians = np.random.default_rng(3).standard_normal((9, 4))
    first = gaussians[:, 0] / np.linalg.norm(gaussians[:, 0])

    assert np.allclose(haar(gaussians[None])[0, :, 0], first, rtol=0, atol=1e-14)


def test_what_stands_above_the_diagonal_does_not_matter():
    gaussians = np.random.default_rng(4).standard_normal((1, 6, 6))

    assert np.array_equal(haar(gaussians), haar(np.tril(gaussians)))


N_MATRICES = 20_000


@pytest.fixture(scope="module")
def orthogonal_3x3():
    """The orthogonal kernels of so many groups: independent matrices in one draw."""
    roles = layouts.torch_conv(0, groups=N_MATRICES)
    law = Law("orthogonal", roles=roles)
    weight = draw("w", (3 * N_MATRICES, 3), law, seed=5, dtype="float64")
    return weight.reshape(N_MATRICES, 3, 3)


# For Haar measure on O(3): E tr = 0, E tr² = 1, E tr⁴ = 3, E tr(Q²) = 1
# (Diaconis and Shahshahani 1994: traces of powers match Gaussians'), E 3q² = 1.
HAAR_MEANS = {
    "tr": (lambda q: np.trace(q, axis1=1, axis2=2), 0.0),
    "tr²": (lambda q: np.trace(q, axis1=1, axis2=2) ** 2, 1.0),
    "tr⁴": (lambda q: np.trace(q, axis1=1, axis2=2) ** 4, 3.0),
    "tr(Q²)": (lambda q: np.trace(q @ q, axis1=1, axis2=2), 1.0),
    "3·q₂₁²": (lambda q: 3 * q[:, 1, 0] ** 2, 1.0),
    "q₃₃": (lambda q: q[:, 2, 2], 0.0),
    "q₁₁·q₂₂": (lambda q: q[:, 0, 0] * q[:, 1, 1], 0.0),
    "det": (np.linalg.det, 0.0),
}


@pytest.mark.parametrize("name", HAAR_MEANS)
def test_a_mean_over_haar_measure_is_met(orthogonal_3x3, name):
    function, expected = HAAR_MEANS[name]
    values = function(orthogonal_3x3)
    error = values.std() / np.sqrt(N_MATRICES)

    assert abs(values.mean() - expected) < 5 * error


def test_signs_left_out_are_found(orthogonal_3x3):
    """LAPACK's QR without the signs of R is not Haar: the test above must see it."""
    gaussians = np.random.default_rng(6).standard_normal((N_MATRICES, 3, 3))
    function, expected = HAAR_MEANS["tr"]
    values = function(np.linalg.qr(gaussians)[0])

    assert abs(values.mean() - expected) > 5 * values.std() / np.sqrt(N_MATRICES)


def weights_of(torch_shape, torch_roles, keras_shape, keras_roles, kind):
    return (
        draw("w", torch_shape, Law(kind, roles=torch_roles), seed=1),
        draw("w", keras_shape, Law(kind, roles=keras_roles), seed=1),
    )


PAIRS = {
    "dense": (
        ((7, 5), layouts.torch_linear()),
        ((5, 7), layouts.keras_dense()),
        lambda keras: keras.T,
    ),
    "conv": (
        ((8, 4, 3, 3), layouts.torch_conv(2)),
        ((3, 3, 4, 8), layouts.keras_conv(2)),
        lambda keras: keras.transpose(3, 2, 0, 1),
    ),
    "grouped": (
        ((8, 2, 3), layouts.torch_conv(1, groups=4)),
        ((3, 2, 8), layouts.keras_conv(1, groups=4)),
        lambda keras: keras.transpose(2, 1, 0),
    ),
    "depthwise": (
        ((12, 1, 3, 3), layouts.torch_conv(2, groups=6)),
        ((3, 3, 6, 2), layouts.keras_depthwise(2, channels=6)),
        lambda keras: keras.transpose(2, 3, 0, 1).reshape(12, 1, 3, 3),
    ),
    "transposed": (
        ((4, 6, 3, 3), layouts.torch_conv_transpose(2)),
        ((3, 3, 6, 4), layouts.keras_conv_transpose(2)),
        lambda keras: keras.transpose(3, 2, 0, 1),
    ),
}


@pytest.mark.parametrize("kind", ["orthogonal", "identity"])
@pytest.mark.parametrize("name", PAIRS)
def test_both_layouts_of_a_layer_hold_the_same_matrix(name, kind):
    (torch_shape, torch_roles), (keras_shape, keras_roles), move = PAIRS[name]
    torch_weight, keras_weight = weights_of(
        torch_shape, torch_roles, keras_shape, keras_roles, kind
    )

    assert np.array_equal(torch_weight, move(keras_weight))


@pytest.mark.parametrize("groups", [1, 2])
def test_a_transposed_convolution_is_split_by_its_inputs(groups):
    roles = layouts.torch_conv_transpose(1, groups=groups)
    weight = draw(
        "w", (4, 3, 5), Law("orthogonal", roles=roles), seed=0, dtype="float64"
    )
    blocks = weight.reshape(groups, 4 // groups, 3, 5).transpose(0, 2, 1, 3)
    matrices = blocks.reshape(groups, 3, -1)
    products = matrices @ matrices.transpose(0, 2, 1)

    assert np.allclose(products, np.eye(3), rtol=0, atol=1e-12)


def test_groups_are_drawn_apart():
    roles = layouts.torch_conv(0, groups=2)
    weight = draw("w", (8, 4), Law("orthogonal", roles=roles), seed=0)

    assert not np.any(np.isclose(weight[:4], weight[4:], atol=1e-4))


@given(st.integers(1, 6), st.integers(1, 6), st.floats(0.1, 10))
def test_every_singular_value_is_the_gain(n_rows, n_columns, gain):
    law = Law("orthogonal", gain=gain)
    weight = draw("w", (n_rows, n_columns), law, seed=0, dtype="float64")

    assert np.linalg.svd(weight, compute_uv=False) == pytest.approx(gain, rel=1e-12)


def test_orthogonal_columns_do_not_depend_on_the_name_of_the_layout():
    default = draw("w", (8, 4, 3, 3), Law("orthogonal"), seed=1)
    named = draw(
        "w", (8, 4, 3, 3), Law("orthogonal", roles=layouts.torch_conv(2)), seed=1
    )

    assert np.array_equal(default, named)


def convolve(image, kernel):
    """Zero-padded cross-correlation that keeps the size: "c h w" with "o c 3 3"."""
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.einsum("chwij,ocij->ohw", windows, kernel)


def test_a_dirac_kernel_hands_the_image_on():
    image = np.random.default_rng(7).standard_normal((4, 5, 6))
    kernel = draw("w", (4, 4, 3, 3), Law("identity"), seed=0, dtype="float64")

    assert np.array_equal(convolve(image, kernel), image)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (0, 3), (2, 2, 0)], ids=str)
def test_a_rectangular_identity_copies_what_there_is(shape):
    expected = np.eye(*shape) if len(shape) == 2 else np.zeros(shape)

    assert np.array_equal(identity(shape, None), expected)


@pytest.mark.parametrize("shape", [(), (3,)], ids=str)
@pytest.mark.parametrize("kind", ["orthogonal", "identity"])
def test_a_vector_is_no_matrix(kind, shape):
    with pytest.raises(ArgumentError, match="two axes or more"):
        draw("w", shape, Law(kind), seed=0)


def test_roles_that_do_not_fit_are_refused():
    with pytest.raises(ArgumentError, match="'roles'"):
        view_of((3, 4, 5), AxisRoles(outputs=(0,), inputs=(1,)))


def test_groups_of_a_transposed_kernel_that_counts_all_outputs_are_orthogonal():
    roles = AxisRoles(
        kernel=(0,),
        inputs=(1,),
        outputs=(2,),
        groups=2,
        is_transposed=True,
        has_all_outputs=True,
    )
    weight = draw("w", (2, 2, 6), Law("orthogonal", roles=roles), seed=0)
    groups = np.split(weight, 2, axis=2)

    rows = [group.reshape(4, 3).T.astype(float) for group in groups]

    for matrix in rows:
        assert np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-6)
