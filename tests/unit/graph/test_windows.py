from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax import lax

from fanin.graph.windows import WindowAxis, padding_share


def counted(axis: WindowAxis, high: int) -> np.ndarray:
    """Count each output's terms by convolving ones with ones."""
    found = lax.conv_general_dilated(
        np.ones((1, 1, axis.n_in), np.float32),
        np.ones((1, 1, axis.kernel), np.float32),
        window_strides=(axis.stride,),
        padding=((axis.low, high),),
        lhs_dilation=(axis.spread,),
        rhs_dilation=(axis.dilation,),
    )
    return np.asarray(found).reshape(-1)


@settings(max_examples=30, deadline=None)
@given(
    n_in=st.integers(5, 9),  # no shorter than three taps at distance two
    kernel=st.integers(1, 3),
    stride=st.integers(1, 3),
    low=st.integers(0, 2),
    high=st.integers(0, 2),
    dilation=st.integers(1, 2),
)
def test_the_share_is_what_a_convolution_of_ones_counts(
    n_in, kernel, stride, low, high, dilation
):
    n_out = (n_in + low + high - dilation * (kernel - 1) - 1) // stride + 1
    axis = WindowAxis(
        n_in=n_in, n_out=n_out, kernel=kernel, stride=stride, low=low, dilation=dilation
    )

    expected = 1.0 - counted(axis, high).mean() / kernel
    assert padding_share([axis]) == pytest.approx(expected, abs=1e-6)


def test_a_transposed_window_has_kernel_over_stride_terms():
    axis = WindowAxis(n_in=50, n_out=99 + 3 - 3, kernel=4, low=2, spread=2)

    terms = counted(axis, high=1)
    assert terms.mean() == pytest.approx(2.0, rel=0.03)
    assert padding_share([axis]) == pytest.approx(1 - terms.mean() / 2, abs=1e-6)


def test_two_axes_multiply():
    axis = WindowAxis(n_in=4, n_out=4, kernel=3, low=1)

    assert padding_share([axis, axis]) == pytest.approx(1 - (10 / 12) ** 2)
