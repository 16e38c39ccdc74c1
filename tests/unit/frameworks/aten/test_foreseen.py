"""What is told of an operation's outputs is what torch itself derives."""

import pytest
import torch

from fanin.frameworks._aten.foreseen import TELLERS, foreseen

ATEN = torch.ops.aten


def meta(*shape, dtype=torch.float32):
    return torch.empty(shape, device="meta", dtype=dtype)


def described(given):
    tensors = given if isinstance(given, tuple) else (given,)
    return [(t.shape, t.dtype, t.stride(), t.device) for t in tensors]


ROW, MATRIX, IMAGES = meta(5), meta(3, 5), meta(2, 5, 4, 4)
WIDE = meta(3, 5, dtype=torch.float64)
HALF = meta(3, 5, dtype=torch.bfloat16)
NORM = (ROW, ROW, ROW, ROW, True, 0.1, 1e-5)
CALLS = {
    ATEN.pow.Tensor_Scalar: [(MATRIX, 2), (HALF, 0.5)],
    ATEN.mul.Scalar: [(MATRIX, 2.0), (HALF, 3)],
    ATEN.threshold.default: [(MATRIX, 0, 0)],
    ATEN.addmm.default: [(ROW, meta(2, 3), MATRIX), (meta(3), MATRIX, MATRIX.t())],
    ATEN.native_layer_norm.default: [
        (MATRIX, [5], ROW, ROW, 1e-5),
        (MATRIX, [5], None, None, 1e-5),
        (IMAGES, [4, 4], meta(4, 4), None, 1e-5),
    ],
    ATEN.native_batch_norm.default: [
        (IMAGES, *NORM),
        (MATRIX, *NORM),
        (MATRIX, None, None, None, None, True, 0.1, 1e-5),
    ],
}
ONE = [(MATRIX,), (HALF,), (WIDE,), (meta(),), (meta(0, 3),), (IMAGES,)]
TWO = [(MATRIX, MATRIX), (MATRIX, ROW), (HALF, 2.0), (IMAGES, meta(4)), (WIDE, 3)]
TWO_TENSORS = (ATEN.add.Tensor, ATEN.sub.Tensor, ATEN.mul.Tensor, ATEN.div.Tensor)
EVERY = [
    (func, args)
    for func in TELLERS
    for args in CALLS.get(func, TWO if func in TWO_TENSORS else ONE)
]


@pytest.mark.parametrize(("func", "args"), EVERY, ids=str)
def test_what_is_foreseen_is_what_torch_gives(func, args):
    told = foreseen(func, args, {})
    assert told is not None
    assert described(told) == described(func(*args))


@pytest.mark.parametrize(
    ("func", "args"),
    [
        (ATEN.relu.default, (torch.ones(2),)),
        (ATEN.relu.default, (meta(3, 5).t(),)),
        (ATEN.relu.default, (meta(3, dtype=torch.int64),)),
        (ATEN.add.Tensor, (ROW, MATRIX)),
        (ATEN.add.Tensor, (MATRIX, WIDE)),
        (ATEN.add.Tensor, (MATRIX, meta(4))),
        (ATEN.mul.Tensor, (MATRIX, 1j)),
        (ATEN.addmm.default, (ROW, MATRIX, MATRIX)),
        (ATEN.native_layer_norm.default, (HALF, [5], None, None, 1e-5)),
        (ATEN.native_layer_norm.default, (MATRIX, [4], None, None, 1e-5)),
        (ATEN.native_batch_norm.default, (MATRIX, *NORM[:4], False, 0.1, 1e-5)),
    ],
    ids=str,
)
def test_all_else_is_left_to_torch(func, args):
    assert foreseen(func, args, {}) is None
