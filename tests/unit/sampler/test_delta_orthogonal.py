import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fanin.errors import ArgumentError
from fanin.graph import AxisRoles, layouts
from fanin.sampler import Law, draw
from fanin.sampler.matrices import middle_of

LAYERS = {
    "wide": ((4, 9, 3, 3), layouts.torch_conv(2)),
    "tall": ((9, 4, 5), layouts.torch_conv(1)),
    "even": ((6, 6, 4, 2), layouts.torch_conv(2)),
    "groups": ((8, 3, 3, 3), layouts.torch_conv(2, groups=2)),
    "transposed": ((6, 4, 3), layouts.torch_conv_transpose(1)),
    "transposed groups": ((6, 4, 3), layouts.torch_conv_transpose(1, groups=3)),
    "keras": ((3, 3, 4, 7), layouts.keras_conv(2)),
    "keras depthwise": ((3, 3, 5, 2), layouts.keras_depthwise(2, channels=5)),
    "dense": ((5, 8), layouts.torch_linear()),
}


@pytest.fixture(params=LAYERS.values(), ids=LAYERS)
def layer(request):
    return request.param


def delta(shape, roles, **options):
    law = Law("delta_orthogonal", gain=options.pop("gain", 1.0), roles=roles)
    return draw("w", shape, law, seed=2, **options)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_all_but_the_middle_is_zero(layer, dtype):
    weight = delta(*layer, dtype=dtype)
    middle, _ = middle_of(weight, layer[1])

    assert np.count_nonzero(weight) == middle.size
    assert np.all(middle.astype(np.float64) != 0)


def test_the_middle_is_what_orthogonal_draws_of_a_dense_weight(layer):
    shape, roles = layer
    weight = delta(shape, roles, gain=1.3, dtype="float64")
    middle, inner = middle_of(weight, roles)
    law = Law("orthogonal", gain=1.3, roles=inner)
    dense = draw("w", middle.shape, law, seed=2, dtype="float64")

    assert np.array_equal(middle, dense)


def test_a_dense_weight_is_all_middle():
    shape, roles = LAYERS["dense"]
    law = Law("orthogonal", roles=roles)

    assert np.array_equal(delta(shape, roles), draw("w", shape, law, seed=2))


def test_keras_and_pytorch_hold_the_same_kernel():
    torch_weight = delta((7, 4, 3, 3), layouts.torch_conv(2))
    keras_weight = delta((3, 3, 4, 7), layouts.keras_conv(2))

    assert np.array_equal(torch_weight, keras_weight.transpose(3, 2, 0, 1))


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
def test_without_roles_the_first_axis_is_the_outputs(n_out, n_in, height, width):
    shape = (n_out, n_in, height, width)
    given_roles = delta(shape, layouts.torch_conv(2))

    assert np.array_equal(delta(shape, None), given_roles)


@pytest.mark.parametrize("shape", [(0, 3, 3), (4, 0, 3), (4, 3, 0)], ids=str)
def test_an_empty_kernel_is_empty(shape):
    assert delta(shape, None).shape == shape


@pytest.mark.parametrize("index", [[0, 4, 5], [35, 22]])
def test_some_elements_are_those_of_the_whole(index):
    shape, roles = (4, 3, 3), layouts.torch_conv(1)
    whole = delta(shape, roles)

    assert np.array_equal(delta(shape, roles, index=index), whole.ravel()[index])


def test_a_vector_and_wrong_roles_are_refused():
    with pytest.raises(ArgumentError, match="two axes or more"):
        delta((3,), None)
    with pytest.raises(ArgumentError, match="'roles'"):
        delta((3, 4, 5), AxisRoles(outputs=(0,), inputs=(1,)))
