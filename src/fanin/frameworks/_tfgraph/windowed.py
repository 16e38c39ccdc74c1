"""TensorFlow's convolutions and poolings: what each window reads."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any, Final

from fanin.frameworks._tfgraph.recorder import opaque
from fanin.graph.fans import AxisRoles
from fanin.graph.windows import WindowAxis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._tfgraph.recorder import Recorder, Translator
    from fanin.frameworks._tfgraph.steps import Step


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where channels and places lie: the axes, and each setting's number for them."""

    channel: int
    spatial: tuple[int, ...]
    settings: Mapping[str, Any]

    @classmethod
    def of(cls, step: Step, rank: int) -> Layout:
        """Read it off an operation on tensors of that rank."""
        is_last = not str(step.attributes["data_format"]).startswith("NC")
        places = range(1, rank - 1) if is_last else range(2, rank)
        channel = rank - 1 if is_last else 1
        return cls(channel=channel, spatial=tuple(places), settings=step.attributes)

    def numbers(self, name: str) -> tuple[int, ...]:
        """Give a setting along the spatial axes; 1 where there is none."""
        held = self.settings.get(name)
        return tuple(int(held[axis]) if held else 1 for axis in self.spatial)

    def low(self, place: int, n_in: int, n_out: int, reach: int) -> int:
        """Give the padding before the first entry along a spatial axis.

        Args:
            place: which of the spatial axes.
            n_in: entries along it.
            n_out: windows along it.
            reach: entries from a window's first tap to its last, both counted.
        """
        padding = str(self.settings["padding"])
        if padding == "SAME":
            stride = self.numbers("strides")[place]
            return max((n_out - 1) * stride + reach - n_in, 0) // 2
        if padding == "EXPLICIT":
            return int(self.settings["explicit_paddings"][2 * self.spatial[place]])
        return 0

    def window(self, place: int, n_in: int, n_out: int, kernel: int) -> WindowAxis:
        """Give how the window moves along a spatial axis."""
        dilation = self.numbers("dilations")[place]
        reach = (kernel - 1) * dilation + 1
        return WindowAxis(
            axis=self.spatial[place],
            n_in=n_in,
            n_out=n_out,
            kernel=kernel,
            stride=self.numbers("strides")[place],
            low=self.low(place, n_in, n_out, reach),
            dilation=dilation,
        )

    def transposed(self, place: int, n_in: int, n_out: int, kernel: int) -> WindowAxis:
        """Give the window of the convolution whose gradient this one is."""
        there = self.window(place, n_out, n_in, kernel)
        return WindowAxis(
            axis=there.axis,
            n_in=n_in,
            n_out=n_out,
            kernel=kernel,
            low=there.dilation * (kernel - 1) - there.low,
            dilation=there.dilation,
            spread=there.stride,
        )


def convolved(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a convolution; the channels of a filter tell how many groups there are."""
    source, weight = (recorder.draft(given) for given in step.inputs)
    rank = len(step.shapes[0])
    layout = Layout.of(step, rank)
    held, kernel = recorder.builder.shape(source), recorder.builder.shape(weight)
    roles = AxisRoles(
        outputs=(rank - 1,),
        inputs=(rank - 2,),
        kernel=tuple(range(rank - 2)),
        groups=held[layout.channel] // kernel[rank - 2],
        strides=prod(layout.numbers("strides")),
    )
    return [_convolve(recorder, step, (source, weight), roles)]


def depthwise(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a depthwise convolution, as one in as many groups as there are channels."""
    source, weight = (recorder.draft(given) for given in step.inputs)
    *taps, channels, times = recorder.builder.shape(weight)
    shape = (*taps, 1, channels * times)
    flat = recorder.builder.reshape(step.kind, weight, shape)
    recorder.carry(weight, flat)
    roles = AxisRoles(
        outputs=(3,),
        inputs=(2,),
        kernel=(0, 1),
        groups=channels,
        strides=prod(Layout.of(step, 4).numbers("strides")),
    )
    return [_convolve(recorder, step, (source, flat), roles)]


def transposed(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a transposed convolution, which TensorFlow writes as a gradient's."""
    weight, source = (recorder.draft(given) for given in step.inputs[1:3])
    rank = len(step.shapes[0])
    layout = Layout.of(step, rank)
    if step.shapes[0][layout.channel] != recorder.builder.shape(weight)[rank - 2]:
        return opaque(recorder, step)
    roles = AxisRoles(
        outputs=(rank - 2,),
        inputs=(rank - 1,),
        kernel=tuple(range(rank - 2)),
        strides=prod(layout.numbers("strides")),
        is_transposed=True,
    )
    return [_convolve(recorder, step, (source, weight), roles)]


def _convolve(
    recorder: Recorder, step: Step, operands: tuple[int, int], roles: AxisRoles
) -> int:
    source, weight = operands
    layout, shape = Layout.of(step, len(step.shapes[0])), step.shapes[0]
    held, kernel = recorder.builder.shape(source), recorder.builder.shape(weight)
    window = layout.transposed if roles.is_transposed else layout.window
    return recorder.builder.convolve(
        step.kind,
        source,
        weight,
        shape,
        roles=roles,
        channel_axis=layout.channel,
        windows=[
            window(place, held[axis], shape[axis], kernel[place])
            for place, axis in enumerate(layout.spatial)
        ],
    )


def pooled(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add pooling over windows."""
    source, shape = recorder.draft(step.inputs[0]), step.shapes[0]
    held, layout = recorder.builder.shape(source), Layout.of(step, len(shape))
    windows = [
        layout.window(place, held[axis], shape[axis], kernel)
        for place, (axis, kernel) in enumerate(
            zip(layout.spatial, layout.numbers("ksize"), strict=True)
        )
    ]
    kind = "max" if step.kind.startswith("Max") else "mean"
    moving = [w for w in windows if w.kernel > 1 or w.stride > 1]
    return [recorder.builder.pool(step.kind, source, shape, kind=kind, windows=moving)]


TRANSLATORS: Final[Mapping[str, Translator]] = {
    "AvgPool": pooled,
    "AvgPool3D": pooled,
    "Conv2D": convolved,
    "Conv2DBackpropInput": transposed,
    "Conv3D": convolved,
    "Conv3DBackpropInputV2": transposed,
    "DepthwiseConv2dNative": depthwise,
    "MaxPool": pooled,
    "MaxPool3D": pooled,
}
"""By TensorFlow's name of the operation."""
