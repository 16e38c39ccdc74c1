"""Draws of prescriptions: every part equals the whole, which is what it says."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fanin.errors import ArgumentError, ShapeError, UnknownParameterError
from fanin.graph.fans import AxisRoles
from fanin.graph.layouts import (
    keras_dense,
    torch_conv,
    torch_conv_transpose,
    torch_linear,
)
from fanin.graph.region import Region
from fanin.graph.rounding import write_rounded
from fanin.prescription import Part, Plan, Prescription
from fanin.sampler import Law, draw


def weight(shape=(6, 4), roles=None, **fields):
    fields = {"law": "normal", "std": 0.5, "dtype": "float32", **fields}
    return Prescription(
        path=fields.pop("path", "w"),
        shape=shape,
        role="",
        scheme="",
        reason="",
        roles=roles or torch_linear(),
        **fields,
    )


def offset(shape=(6,), roles=None, **fields):
    fields = {"law": "offset", "value": 0.7, "weight": "w", **fields}
    return weight(shape, roles, path="b", **fields)


def drawn(*prescriptions, seed=3, values=None):
    draws = Plan(prescriptions=prescriptions, seed=seed).draws(values)
    return {path: draw(None) for path, draw in draws.items()}


def gate(**fields):
    return Part(kind="gate", **{"start": 1, "size": 1, "period": 3, **fields})


CASES = {
    "plain": weight(),
    "mirrored rows": weight(mirrored=(0,)),
    "mirrored both": weight(mirrored=(0, 1)),
    "blocks": weight(n_blocks=3),
    "blocks of matrices": weight(law="orthogonal", n_blocks=3, std=0.5),
    "mirrored orthogonal": weight((8, 8), law="orthogonal", mirrored=(0, 1)),
    "blocks and mirrored": weight(n_blocks=3, mirrored=(0,)),
    "keras blocks": weight((4, 6), keras_dense(), n_blocks=2, mirrored=(0,)),
    "parts": weight(parts=(gate(factor=3.0), gate(start=2, value=1.5))),
    "all": weight(n_blocks=3, mirrored=(1,), parts=(gate(factor=0.1),)),
    "half precision": weight(dtype="bfloat16", parts=(gate(factor=0.3),)),
    "double": weight(dtype="float64", mirrored=(1,), parts=(gate(factor=0.3),)),
    "constant with parts": weight((6,), law="constant", parts=(gate(value=1.0),)),
    "values": weight((6,), law="values", values=tuple(range(6)), parts=(gate(),)),
    "convolution": weight((6, 2, 3, 3), torch_conv(2), mirrored=(0,), n_blocks=3),
}


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_every_part_equals_the_whole(name, data):
    p = CASES[name]
    draws = Plan(prescriptions=(p,), seed=11).draws()["w"]
    index = data.draw(st.lists(st.integers(0, p.size - 1), max_size=12))

    part = draws(np.array(index, dtype=np.int64))

    whole = draws(None)
    assert whole.shape == p.shape
    assert part.dtype == whole.dtype
    assert np.array_equal(part, whole.reshape(-1)[index])


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
@settings(max_examples=20, deadline=None)
def test_every_box_is_filled_with_the_bits_of_the_whole(name, data):
    p = CASES[name]
    start = tuple(data.draw(st.integers(0, n)) for n in p.shape)
    ends = zip(start, p.shape, strict=True)
    region = Region(start, tuple(data.draw(st.integers(0, n - s)) for s, n in ends))
    draws = Plan(prescriptions=(p,), seed=11).draws()["w"]
    whole = draws(None)
    out = np.ones(region.shape, dtype=whole.dtype)
    draws.fill(out, region)

    assert out.tobytes() == np.ascontiguousarray(whole[region.slices]).tobytes()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "uint16"])
def test_memory_of_another_dtype_gets_the_numbers_rounded_again(name, dtype):
    draws = Plan(prescriptions=(CASES[name],), seed=11).draws()["w"]
    whole, out = draws(None), np.ones(CASES[name].shape, dtype=dtype)
    draws.fill(out)
    expected = np.empty_like(out)
    write_rounded(expected, whole)

    assert np.array_equal(out, expected)


def test_parts_that_come_and_go_many_times_are_filled():
    every_other = weight((9000, 2), parts=(gate(size=1, period=2, factor=2.0),))
    p = replace(every_other, parts=(replace(every_other.parts[0], start=0),))
    draws = Plan(prescriptions=(p,), seed=1).draws()["w"]
    plain = Plan(prescriptions=(replace(p, parts=()),), seed=1).draws()["w"](None)
    out = np.empty(p.shape, dtype=np.float32)
    draws.fill(out)

    assert np.array_equal(out[::2], 2 * plain[::2])
    assert np.array_equal(out[1::2], plain[1::2])


@pytest.mark.parametrize("name", [n for n in CASES if n != "values"])
def test_the_whole_has_the_dtype_that_was_asked_for(name):
    assert str(drawn(CASES[name])["w"].dtype) == CASES[name].dtype


def test_a_mirrored_half_is_minus_the_other():
    found = drawn(weight((6, 4), mirrored=(0, 1)))["w"]

    assert np.array_equal(found[3:], -found[:3])
    assert np.array_equal(found[:, 2:], -found[:, :2])
    assert len(np.unique(np.abs(found))) == 6


def test_what_is_mirrored_is_the_draw_of_the_halved_shape():
    found = drawn(weight((6, 4), mirrored=(0,)), seed=5)["w"]

    assert np.array_equal(found[:3], draw("w", (3, 4), Law("normal", std=0.5), seed=5))


@pytest.mark.parametrize("mirrored", [(0,), (1,), (0, 1)], ids=str)
def test_a_mirrored_orthogonal_half_has_equal_singular_values_and_that_std(mirrored):
    found = drawn(weight((8, 8), law="orthogonal", std=0.25, mirrored=mirrored))["w"]
    rows, columns = (8 // 2 if axis in mirrored else 8 for axis in (0, 1))

    singular = np.linalg.svd(found[:rows, :columns], compute_uv=False)

    assert singular == pytest.approx(np.full(len(singular), singular[0]), rel=1e-5)
    assert sqrt(np.mean(found.astype(float) ** 2)) == pytest.approx(0.25, rel=1e-5)


@pytest.mark.parametrize(
    ("shape", "roles", "axis"),
    [((12, 4), torch_linear(), 0), ((4, 12), keras_dense(), 1)],
    ids=["torch", "keras"],
)
def test_each_block_is_an_orthogonal_matrix_of_its_own(shape, roles, axis):
    p = weight(shape, roles, law="orthogonal", std=0.5, n_blocks=3)
    blocks = np.split(drawn(p)["w"], 3, axis=axis)

    products = [block @ block.T for block in blocks]

    assert np.allclose(products, np.eye(4), atol=1e-6)
    assert not np.allclose(blocks[0], blocks[1], atol=0.1)


def test_parts_are_multiplied_or_set():
    plain = drawn(weight())["w"]
    found = drawn(weight(parts=(gate(factor=2.0), gate(start=2, value=9.0))))["w"]

    assert np.array_equal(found[[0, 3]], plain[[0, 3]])
    assert np.array_equal(found[[1, 4]], 2 * plain[[1, 4]])
    assert np.all(found[[2, 5]] == 9.0)


def test_the_variance_counts_the_parts():
    p = weight((300, 200), std=2.0, parts=(gate(factor=3.0), gate(start=2, value=9.0)))

    found = drawn(p)["w"]
    centred = found - 9.0 * (found == 9.0)

    assert p.variance == pytest.approx(4.0 * (1 + 9) / 3)
    assert np.mean(centred**2) == pytest.approx(p.variance, rel=5 / sqrt(2 * 40_000))


ROWS = {
    "torch": ((6, 4), torch_linear(), lambda w: w.sum(axis=1)),
    "keras": ((4, 6), keras_dense(), lambda w: w.sum(axis=0)),
    "convolution": ((6, 2, 3, 3), torch_conv(2), lambda w: w.sum(axis=(1, 2, 3))),
    "depthwise": (
        (6, 1, 3, 3),
        torch_conv(2, groups=6),
        lambda w: w.sum(axis=(1, 2, 3)),
    ),
    "grouped transposed": (
        (4, 3, 2, 2),
        torch_conv_transpose(2, groups=2),
        lambda w: w.reshape(2, 2, 3, 2, 2).sum(axis=(1, 3, 4)).ravel(),
    ),
    "two output axes": (
        (5, 2, 3),
        AxisRoles(inputs=(0,), outputs=(1, 2)),
        lambda w: w.sum(axis=0).ravel(),
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_an_offset_is_minus_the_value_times_the_sum_of_the_units_row(name):
    shape, roles, sums = ROWS[name]
    found = drawn(weight(shape, roles), offset(roles=roles))

    assert found["b"] == pytest.approx(-0.7 * sums(found["w"].astype(float)), rel=1e-6)


@pytest.mark.parametrize("law", ["normal", "orthogonal"])
@pytest.mark.parametrize("name", [n for n in ROWS if n != "depthwise"])
def test_a_shard_of_an_offset_has_the_bits_of_the_whole(name, law):
    shape, roles, _ = ROWS[name]
    plan = Plan(
        prescriptions=(offset(roles=roles), weight(shape, roles, law=law)), seed=3
    )

    part = plan.draws()["b"](np.array([4, 0, 4]))

    assert np.array_equal(part, plan.draws()["b"](None)[[4, 0, 4]])


def test_an_offset_follows_the_factor_of_its_weight():
    plan = Plan(prescriptions=(weight(), offset(std=0.7)), seed=3)

    scaled = plan.with_factors({"w": 4.0})

    before, after = plan.draws()["b"](None), scaled.draws()["b"](None)
    assert after == pytest.approx(4.0 * before, rel=1e-6)
    assert scaled["b"].std == pytest.approx(2.8)
    assert scaled["b"].value == 0.7


def test_an_offset_of_a_kept_weight_reads_its_present_values():
    plan = Plan(prescriptions=(weight(law="keep"), offset()), seed=3)
    present = np.arange(24.0).reshape(6, 4)

    found = plan.draws({"w": present})["b"](None)

    assert plan.kept_weights == ("w",)
    assert found == pytest.approx(-0.7 * present.sum(axis=1))


def test_an_offset_of_a_kept_weight_says_what_it_needs():
    plan = Plan(prescriptions=(weight(law="keep"), offset()), seed=3)

    with pytest.raises(ArgumentError, match="present values of 'w'"):
        plan.draws()


def test_an_offset_of_a_weight_that_is_not_there_is_refused():
    with pytest.raises(UnknownParameterError, match="'w'"):
        Plan(prescriptions=(offset(),), seed=3).draws()


def test_an_offset_of_another_size_is_refused():
    with pytest.raises(ShapeError, match="'b'"):
        Plan(prescriptions=(weight(), offset((5,))), seed=3).draws()


def test_an_axis_that_the_blocks_do_not_divide_is_refused():
    with pytest.raises(ArgumentError, match="4 divides, for 'w'"):
        drawn(weight(n_blocks=4))


def test_a_seed_of_its_own_beats_the_plans():
    p = weight(seed=9)

    assert np.array_equal(drawn(p, seed=1)["w"], drawn(p, seed=2)["w"])
    assert np.array_equal(drawn(p)["w"], drawn(weight(), seed=9)["w"])


def test_a_centre_belongs_to_the_plans_own_seed():
    bias = weight((2,), path="b", law="values", values=(1.5, -2.0), centre=(0.5, -1.0))
    plan = Plan(prescriptions=(weight(), bias), seed=1)

    assert plan.draws()["b"](None).tolist() == [1.5, -2.0]
    assert plan.draws(seed=1)["b"](None).tolist() == [1.5, -2.0]
    assert plan.draws(seed=2)["b"](None).tolist() == [1.0, -1.0]


def test_another_seed_draws_the_same_laws_again():
    plan = Plan(prescriptions=(weight(), weight(path="v", seed=7)), seed=1)
    other = {path: d(None) for path, d in plan.draws(seed=2).items()}
    plain = {path: d(None) for path, d in replace(plan, seed=2).draws().items()}

    assert np.array_equal(other["w"], plain["w"])
    assert np.array_equal(other["v"], plan.draws()["v"](None))
    assert not np.array_equal(other["w"], plan.draws()["w"](None))


def test_a_scalar_is_written_too():
    scale = weight((), path="s", law="constant", value=0.75, roles=None)
    out = np.zeros((), dtype=np.float32)
    Plan(prescriptions=(scale,), seed=1).draws()["s"].fill(out)

    assert out.tolist() == 0.75
    assert drawn(scale)["s"].tolist() == 0.75
