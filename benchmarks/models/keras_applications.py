"""Every family of ``keras.applications``, built without weights at its smallest image.

The first member of each family stands for it in ``zoo``; ``members`` has them all. The
backend is the one that Keras was imported with.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    Builder = Callable[[], tuple[Any, np.ndarray]]

SAMPLES, CLASSES = 4, 10
FAMILIES: dict[str, tuple[str, ...]] = {
    "convnext": ("Tiny", "Small", "Base", "Large", "XLarge"),
    "densenet": ("121", "169", "201"),
    "efficientnet": tuple(f"B{i}" for i in range(8)),
    "efficientnet_v2": ("B0", "B1", "B2", "B3", "S", "M", "L"),
    "inception": ("V3",),
    "inception_resnet": ("V2",),
    "mobilenet": ("",),
    "mobilenet_v2": ("V2",),
    "mobilenet_v3": ("Small", "Large"),
    "nasnet": ("Mobile", "Large"),
    "resnet": ("50", "101", "152"),
    "resnet_v2": ("50V2", "101V2", "152V2"),
    "vgg": ("16", "19"),
    "xception": ("",),
}
STEMS = {
    "convnext": "ConvNeXt",
    "densenet": "DenseNet",
    "efficientnet": "EfficientNet",
    "efficientnet_v2": "EfficientNetV2",
    "inception": "Inception",
    "inception_resnet": "InceptionResNet",
    "mobilenet": "MobileNet",
    "mobilenet_v2": "MobileNet",
    "mobilenet_v3": "MobileNetV3",
    "nasnet": "NASNet",
    "resnet": "ResNet",
    "resnet_v2": "ResNet",
    "vgg": "VGG",
    "xception": "Xception",
}
SMALLEST = {"inception": 75, "inception_resnet": 75, "xception": 71}
USUAL = 32
READS_PIXELS = {"convnext", "efficientnet", "efficientnet_v2", "mobilenet_v3"}
NOT_ON_TORCH = {"nasnet"}  # Keras itself refuses to build it there


def build(family: str, member: str) -> tuple[Any, np.ndarray]:
    """Build one member, a classifier of ten classes, and its batch."""
    side = SMALLEST.get(family, USUAL)
    make = getattr(keras.applications, STEMS[family] + member)
    model = make(weights=None, input_shape=(side, side, 3), classes=CLASSES)
    source = np.random.default_rng(0)
    shape = (SAMPLES, side, side, 3)
    if family in READS_PIXELS:
        batch = source.uniform(0.0, 255.0, shape)  # scaled inside the model
    else:
        batch = source.standard_normal(shape)
    return model, batch.astype(np.float32)


def buildable() -> dict[str, tuple[str, ...]]:
    """Give the members of each family that this backend can build."""
    is_torch = keras.backend.backend() == "torch"
    left_out = NOT_ON_TORCH if is_torch else set()
    return {name: some for name, some in FAMILIES.items() if name not in left_out}


def zoo() -> dict[str, Builder]:
    """Give a builder of (model, batch) for the first member of each family, by name."""
    return {name: partial(build, name, some[0]) for name, some in buildable().items()}


def members() -> dict[str, Builder]:
    """Give a builder for every member of every family, by its class's name."""
    return {
        STEMS[family] + member: partial(build, family, member)
        for family, names in buildable().items()
        for member in names
    }


def kinds() -> dict[str, str]:
    """Say what kind of net each family is."""
    plain = {"vgg", "inception", "mobilenet"}
    return {name: "cnn" if name in plain else "residual" for name in FAMILIES}
