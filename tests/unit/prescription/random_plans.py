"""Plans with every law, layout and structure, for models that are made to fit them."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from hypothesis import strategies as st

from fanin.graph.fans import AxisRoles
from fanin.graph.layouts import (
    keras_conv,
    keras_conv_transpose,
    keras_dense,
    keras_depthwise,
    torch_conv,
    torch_conv_transpose,
    torch_embedding,
    torch_linear,
)
from fanin.prescription import Plan, Prescription
from fanin.prescription.prescription import Part

LAYOUTS = (
    ((12, 20), torch_linear()),
    ((20, 12), torch_linear()),
    ((8, 6, 3, 3), torch_conv(2)),
    ((8, 3, 3, 3), torch_conv(2, groups=2)),
    ((8, 1, 3, 3), torch_conv(2, groups=8)),
    ((6, 8, 2, 2), torch_conv_transpose(2, strides=2)),
    ((6, 4, 2, 2), torch_conv_transpose(2, groups=2)),
    ((12, 20), keras_dense()),
    ((3, 6, 8), keras_conv(1)),
    ((3, 3, 4, 8), keras_conv(2, groups=2)),
    ((3, 3, 8, 2), keras_depthwise(2, channels=8)),
    ((2, 2, 8, 6), keras_conv_transpose(2, strides=2)),
    ((3, 10, 12), AxisRoles(inputs=(1,), outputs=(0, 2), groups=3)),
    ((12, 4, 6), AxisRoles(inputs=(0,), outputs=(1, 2))),
    (
        (2, 2, 3, 8),
        AxisRoles(
            kernel=(0, 1),
            inputs=(2,),
            outputs=(3,),
            groups=2,
            is_transposed=True,
            has_all_outputs=True,
        ),
    ),
    ((16, 8), torch_embedding()),
)
SHAPES_WITHOUT_ROLES = ((8,), (), (2, 6))
MATRICES = ("orthogonal", "delta_orthogonal", "identity")
LAWS = ("normal", "uniform", "truncated_normal", *MATRICES, "constant")
DTYPES = ("float32", "float32", "float32", "bfloat16", "float16")


@st.composite
def plans(draw, framework):
    """Give a plan for a model of that framework, some parameters kept."""
    found = []
    for kind in range(draw(st.integers(1, 4))):
        found += draw(weights(f"kind{kind}", framework))
    if draw(st.booleans()):
        found.append(_kept("kept", framework))
    seed = draw(st.integers(0, 2**64 - 1))
    return Plan(prescriptions=tuple(found), seed=seed, framework=framework)


@st.composite
def weights(draw, name, framework):
    """Give like weights of several layers, and biases that belong to them."""
    shape, roles = draw(st.sampled_from(LAYOUTS))
    law = draw(st.sampled_from(LAWS))
    first, step = draw(st.integers(0, 2)), draw(st.integers(1, 2))
    n_layers = draw(st.integers(1, 4))
    dtype = draw(st.sampled_from(DTYPES))
    structure = draw(structures(shape, roles, law))
    is_even = draw(st.booleans())
    value = draw(st.floats(-2.0, 2.0, width=32))
    bias_law = draw(st.sampled_from(("constant", "values", "offset", "parts")))
    found = []
    for layer in range(first, first + step * n_layers, step):
        std = draw(st.floats(0.01, 3.0)) if not found or not is_even else found[0].std
        weight = Prescription(
            path=_path(framework, layer, f"{name}_weight"),
            shape=shape,
            dtype=dtype,
            role="hidden",
            scheme="made_up",
            law=law,
            reason=f"Made up for layer {layer}.",
            std=0.0 if law == "constant" else std,
            value=value if law == "constant" else 0.0,
            roles=roles,
            seed=draw(st.sampled_from((None, None, 7))),
            **structure,
        )
        found += [weight, _bias(weight, framework, layer, name, bias_law, value)]
    return found


@st.composite
def structures(draw, shape, roles, law):
    """Give mirrored axes, blocks and parts that fit the layout and the law."""
    found = {}
    is_single = len(roles.outputs) == 1 and roles.groups == 1
    lengths = list(shape)
    if is_single and law != "constant":
        axes = [a for a in (*roles.outputs, *roles.inputs) if lengths[a] % 4 == 0]
        mirrored = draw(st.lists(st.sampled_from(axes), unique=True)) if axes else []
        for axis in mirrored:
            lengths[axis] //= 2
        found["mirrored"] = tuple(mirrored)
    if is_single and law in MATRICES:
        found["n_blocks"] = draw(st.sampled_from((1, 2)))
        if lengths[roles.outputs[0]] % 2:
            found["n_blocks"] = 1
    if _has_units(roles) and not found.get("mirrored") and draw(st.booleans()):
        n_units = prod(shape[axis] for axis in roles.outputs)
        period = n_units // draw(st.sampled_from((1, 2)))
        factor = draw(st.sampled_from((0.5, 0.25, 2.0)))
        part = Part(kind="gate", start=1, size=period // 2, period=period)
        found["parts"] = (replace(part, factor=factor),)
    return found


def _has_units(roles):
    """Say whether the units of a weight stand side by side on its output axes."""
    by_input = roles.is_transposed and not roles.has_all_outputs and roles.groups > 1
    first, last = roles.outputs[0], roles.outputs[-1]
    return not by_input and roles.outputs == tuple(range(first, last + 1))


def _bias(weight, framework, layer, name, law, value):
    roles = weight.roles
    by_input = roles.is_transposed and not roles.has_all_outputs and roles.groups > 1
    n_units = prod(weight.shape[axis] for axis in roles.outputs)
    if law == "offset" and by_input:
        law = "constant"
    bias = Prescription(
        path=_path(framework, layer, f"{name}_bias"),
        shape=(n_units,),
        dtype="float32",
        role="bias",
        scheme="made_up",
        law="constant" if law == "parts" else law,
        reason="Made up.",
        value=value,
    )
    if law == "offset":
        return replace(bias, weight=weight.path, roles=roles)
    if law == "values":
        return replace(bias, values=tuple(value + unit / 3 for unit in range(n_units)))
    if law == "parts":
        period = n_units // 2 if n_units % 2 == 0 else n_units
        gate = Part(kind="forget gate", start=0, size=1, period=period, value=1 / 3)
        return replace(bias, parts=(gate,))
    return bias


def _kept(name, framework):
    return Prescription(
        path=_path(framework, 0, name),
        shape=(3,),
        dtype="float32",
        role="unknown",
        scheme="keep",
        law="keep",
        reason="Kept: made up.",
    )


def _path(framework, layer, name):
    return f"layer{layer}/{name}" if framework == "keras" else f"layers.{layer}.{name}"
