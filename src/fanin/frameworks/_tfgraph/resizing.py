"""TensorFlow's interpolation of images: a contraction with known weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tensorflow as tf

from fanin.frameworks._tfgraph.recorder import opaque
from fanin.frameworks._tfgraph.steps import Constant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._tfgraph.recorder import Recorder, Translator
    from fanin.frameworks._tfgraph.steps import Step


def resized(recorder: Recorder, step: Step) -> Sequence[int]:
    """Add a resizing, which is one contraction along the height and one along width."""
    size = step.inputs[1]
    if not isinstance(size, Constant):
        return opaque(recorder, step)
    source = recorder.draft(step.inputs[0])
    _, height, width, _ = recorder.builder.shape(source)
    rows = np.eye(height)[:, :, None, None]
    columns = np.eye(width)[:, None, :, None]
    along_height = recorder.builder.constant(_run(step, rows, size.value)[:, :, 0, 0])
    along_width = recorder.builder.constant(_run(step, columns, size.value)[:, 0, :, 0])
    made = recorder.builder.contract(step.kind, source, along_height, "bhwc,hi->biwc")
    return [recorder.builder.contract(step.kind, made, along_width, "biwc,wj->bijc")]


def _run(step: Step, images: np.ndarray, size: Any) -> np.ndarray:
    """Resize images that are 1 at a single place: what it gives to every other."""
    (made,) = step.run(tf.constant(images, dtype=step.dtypes[0]), size)
    return np.asarray(made.numpy(), dtype=np.float64)


TRANSLATORS: Final[Mapping[str, Translator]] = {
    "ResizeArea": resized,
    "ResizeBicubic": resized,
    "ResizeBilinear": resized,
}
"""By TensorFlow's name of the operation."""
