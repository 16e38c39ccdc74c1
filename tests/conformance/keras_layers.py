"""Every layer class of Keras, each in a model of its own; run as a program.

    KERAS_BACKEND=jax python keras_layers.py Dense Conv2D

prints, as JSON by name, what the recorder made of each: the fans of its linear nodes,
its opaque primitives, the parameters whose role is not known, or the error.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter

ROW, SEQUENCE, IMAGE, VOLUME = (6,), (5, 6), (8, 8, 3), (6, 6, 6, 2)

TABLE = {
    # name: (shape of a sample, arguments, fans of its linear nodes in order)
    "Activation": (ROW, {"activation": "gelu"}, []),
    "ActivityRegularization": (ROW, {"l2": 0.1}, []),
    "AdaptiveAveragePooling1D": (SEQUENCE, {"output_size": 2}, []),
    "AdaptiveAveragePooling2D": (IMAGE, {"output_size": 4}, []),
    "AdaptiveAveragePooling3D": (VOLUME, {"output_size": 3}, []),
    "AdaptiveMaxPooling1D": (SEQUENCE, {"output_size": 2}, []),
    "AdaptiveMaxPooling2D": (IMAGE, {"output_size": 4}, []),
    "AdaptiveMaxPooling3D": (VOLUME, {"output_size": 3}, []),
    "AlphaDropout": (ROW, {"rate": 0.2}, []),
    "AugMix": (IMAGE, {}, []),
    "AutoContrast": (IMAGE, {}, []),
    "AveragePooling1D": (SEQUENCE, {"pool_size": 2}, []),
    "AveragePooling2D": (IMAGE, {"pool_size": 2}, []),
    "AveragePooling3D": (VOLUME, {"pool_size": 2}, []),
    "BatchNormalization": (IMAGE, {}, []),
    "CenterCrop": (IMAGE, {"height": 4, "width": 4}, []),
    "ContrastLimitedAdaptiveHistogramEqualization": (IMAGE, {}, []),
    "Conv1D": (SEQUENCE, {"filters": 4, "kernel_size": 3}, [(18, 12)]),
    "Conv1DTranspose": (
        SEQUENCE,
        {"filters": 4, "kernel_size": 4, "strides": 2},
        [(12, 16)],
    ),
    "Conv2D": (IMAGE, {"filters": 4, "kernel_size": 3, "padding": "same"}, [(27, 36)]),
    "Conv2DTranspose": (
        IMAGE,
        {"filters": 4, "kernel_size": 4, "strides": 2, "padding": "same"},
        [(12, 64)],
    ),
    "Conv3D": (VOLUME, {"filters": 4, "kernel_size": 2}, [(16, 32)]),
    "Conv3DTranspose": (
        VOLUME,
        {"filters": 4, "kernel_size": 2, "strides": 2},
        [(2, 32)],
    ),
    "ConvLSTM1D": ((3, 6, 2), {"filters": 2, "kernel_size": 3}, None),
    "ConvLSTM2D": ((3, 6, 6, 2), {"filters": 2, "kernel_size": 3}, None),
    "ConvLSTM3D": ((2, 4, 4, 4, 2), {"filters": 2, "kernel_size": 2}, None),
    "Cropping1D": (SEQUENCE, {"cropping": 1}, []),
    "Cropping2D": (IMAGE, {"cropping": 1}, []),
    "Cropping3D": (VOLUME, {"cropping": 1}, []),
    "Dense": (ROW, {"units": 4}, [(6, 4)]),
    "DepthwiseConv1D": (SEQUENCE, {"kernel_size": 3}, [(3, 3)]),
    "DepthwiseConv2D": (IMAGE, {"kernel_size": 3, "depth_multiplier": 2}, [(9, 18)]),
    "Dropout": (ROW, {"rate": 0.2}, []),
    "ELU": (ROW, {}, []),
    "EinsumDense": (
        SEQUENCE,
        {"equation": "abc,cde->abde", "output_shape": (None, 2, 3)},
        [(6, 6)],
    ),
    "Flatten": (IMAGE, {}, []),
    "GRU": (SEQUENCE, {"units": 4}, None),
    "GaussianDropout": (ROW, {"rate": 0.2}, []),
    "GaussianNoise": (ROW, {"stddev": 0.2}, []),
    "GlobalAveragePooling1D": (SEQUENCE, {}, []),
    "GlobalAveragePooling2D": (IMAGE, {}, []),
    "GlobalAveragePooling3D": (VOLUME, {}, []),
    "GlobalMaxPooling1D": (SEQUENCE, {}, []),
    "GlobalMaxPooling2D": (IMAGE, {}, []),
    "GlobalMaxPooling3D": (VOLUME, {}, []),
    "GroupNormalization": ((8, 8, 6), {"groups": 3}, []),
    "Identity": (ROW, {}, []),
    "LSTM": (SEQUENCE, {"units": 4}, None),
    "LayerNormalization": (SEQUENCE, {}, []),
    "LeakyReLU": (ROW, {}, []),
    "Masking": (SEQUENCE, {}, []),
    "MaxPooling1D": (SEQUENCE, {}, []),
    "MaxPooling2D": (IMAGE, {"padding": "same", "pool_size": 3}, []),
    "MaxPooling3D": (VOLUME, {}, []),
    "Normalization": (ROW, {"mean": 0.5, "variance": 2.0}, []),
    "PReLU": (ROW, {}, []),
    "Permute": (SEQUENCE, {"dims": (2, 1)}, []),
    "RMSNormalization": (SEQUENCE, {}, []),
    "RandAugment": (IMAGE, {}, []),
    "RandomBrightness": (IMAGE, {"factor": 0.2}, []),
    "RandomColorDegeneration": (IMAGE, {"factor": 0.2}, []),
    "RandomColorJitter": (IMAGE, {"brightness_factor": 0.2}, []),
    "RandomContrast": (IMAGE, {"factor": 0.2}, []),
    "RandomCrop": (IMAGE, {"height": 4, "width": 4}, []),
    "RandomElasticTransform": (IMAGE, {}, []),
    "RandomErasing": (IMAGE, {}, []),
    "RandomFlip": (IMAGE, {}, []),
    "RandomGaussianBlur": (IMAGE, {}, []),
    "RandomGrayscale": (IMAGE, {}, []),
    "RandomHue": (IMAGE, {"factor": 0.2}, []),
    "RandomInvert": (IMAGE, {}, []),
    "RandomPerspective": (IMAGE, {}, []),
    "RandomPosterization": (IMAGE, {"factor": 4}, []),
    "RandomRotation": (IMAGE, {"factor": 0.2}, []),
    "RandomSaturation": (IMAGE, {"factor": 0.2}, []),
    "RandomSharpness": (IMAGE, {"factor": 0.2}, []),
    "RandomShear": (IMAGE, {"x_factor": 0.2}, []),
    "RandomTranslation": (IMAGE, {"height_factor": 0.2, "width_factor": 0.2}, []),
    "RandomZoom": (IMAGE, {"height_factor": 0.2}, []),
    "ReLU": (ROW, {}, []),
    "RepeatVector": (ROW, {"n": 3}, []),
    "Rescaling": (IMAGE, {"scale": 0.1}, []),
    "Reshape": (ROW, {"target_shape": (2, 3)}, []),
    "Resizing": (IMAGE, {"height": 4, "width": 4}, []),
    "SeparableConv1D": (SEQUENCE, {"filters": 4, "kernel_size": 3}, [(3, 3), (6, 4)]),
    "SeparableConv2D": (IMAGE, {"filters": 4, "kernel_size": 3}, [(9, 9), (3, 4)]),
    "SimpleRNN": (SEQUENCE, {"units": 4}, None),
    "Softmax": (ROW, {}, []),
    "Solarization": (IMAGE, {}, []),
    "SpatialDropout1D": (SEQUENCE, {"rate": 0.2}, []),
    "SpatialDropout2D": (IMAGE, {"rate": 0.2}, []),
    "SpatialDropout3D": (VOLUME, {"rate": 0.2}, []),
    "UnitNormalization": (ROW, {}, []),
    "UpSampling1D": (SEQUENCE, {}, []),
    "UpSampling2D": (IMAGE, {}, []),
    "UpSampling3D": (VOLUME, {}, []),
    "ZeroPadding1D": (SEQUENCE, {}, []),
    "ZeroPadding2D": (IMAGE, {}, []),
    "ZeroPadding3D": (VOLUME, {}, []),
}

MERGES = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")
"""Layers that take two tensors of one shape."""

ATTENTIONS = ("AdditiveAttention", "Attention")
"""Layers that take queries and values in a list."""


def of_table(name):
    """Build the model of a layer in the table."""
    import keras

    shape, arguments, _ = TABLE[name]
    layer = getattr(keras.layers, name)(**arguments)
    return keras.Sequential([keras.Input(shape), layer])


def composed():
    """Build the layers that hold, or are given, more than one argument."""
    import keras
    from keras import layers

    def on(shape, function, dtype="float32"):
        inputs = keras.Input(shape, dtype=dtype)
        return lambda: keras.Model(inputs, function(inputs))

    def merge(kind):
        return on(ROW, lambda x: kind()([layers.Dense(6)(x), layers.Dense(6)(x)]))

    def attend(kind):
        return on(SEQUENCE, lambda x: kind()([layers.Dense(6)(x), layers.Dense(6)(x)]))

    found = {name: merge(getattr(layers, name)) for name in MERGES}
    found |= {name: attend(getattr(layers, name)) for name in ATTENTIONS}
    return found | {
        "Dot": on(
            ROW, lambda x: layers.Dot(1)([layers.Dense(4)(x), layers.Dense(4)(x)])
        ),
        "MultiHeadAttention": on(
            SEQUENCE, lambda x: layers.MultiHeadAttention(2, 4)(x, x)
        ),
        "GroupQueryAttention": on(
            SEQUENCE, lambda x: layers.GroupQueryAttention(4, 4, 2)(x, x)
        ),
        "Embedding": on((5,), layers.Embedding(9, 4), "int32"),
        "ReversibleEmbedding": on(
            (5,), lambda x: _both_ways(layers.ReversibleEmbedding(9, 4), x), "int32"
        ),
        "CategoryEncoding": on((5,), layers.CategoryEncoding(9), "int32"),
        "Discretization": on(
            ROW, layers.Discretization(bin_boundaries=[-1.0, 0.0, 1.0])
        ),
        "Lambda": on(ROW, layers.Lambda(lambda x: x * 2.0)),
        "Bidirectional": on(SEQUENCE, layers.Bidirectional(layers.LSTM(3))),
        "TimeDistributed": on(SEQUENCE, layers.TimeDistributed(layers.Dense(4))),
        "StackedRNNCells": on(
            SEQUENCE, layers.RNN([layers.LSTMCell(3), layers.GRUCell(4)])
        ),
        "RNN": on(SEQUENCE, layers.RNN(layers.SimpleRNNCell(3))),
        "SpectralNormalization": on(ROW, layers.SpectralNormalization(layers.Dense(4))),
        "masked LSTM": on(SEQUENCE, lambda x: layers.LSTM(4)(layers.Masking()(x))),
        "dilated DepthwiseConv2D": on(
            IMAGE, layers.DepthwiseConv2D(3, dilation_rate=2)
        ),
    }


COMPOSED_FANS = {
    "Add": [(6, 6), (6, 6)],
    "MultiHeadAttention": [(6, 8), (6, 8), (6, 8), (8, 6)],
    "Embedding": [(1, 4)],
    "TimeDistributed": [(6, 4)] * 5,
    "dilated DepthwiseConv2D": [(9, 9)],
}
"""Fans of the linear nodes, sorted, where one value is right on every backend."""


def _both_ways(layer, inputs):
    return layer(layer(inputs), reverse=True)


COMPOSED_NAMES = (
    *MERGES,
    *ATTENTIONS,
    "Dot",
    "MultiHeadAttention",
    "GroupQueryAttention",
    "Embedding",
    "ReversibleEmbedding",
    "CategoryEncoding",
    "Discretization",
    "Lambda",
    "Bidirectional",
    "TimeDistributed",
    "StackedRNNCells",
    "RNN",
    "SpectralNormalization",
    "masked LSTM",
    "dilated DepthwiseConv2D",
)

SLOW_TO_TRACE = frozenset(
    {"AugMix", "RandAugment", "RandomErasing", "RandomPerspective", "RandomRotation"}
    | {"RandomZoom", "RandomShear", "RandomTranslation"}
)
"""Augmentations that take JAX minutes: it compiles each of their constants apart."""

ELSEWHERE = {
    "Equalization": "gives its own input back when it is called on a symbol",
    "Convolution": "another name of Conv",
    "AvgPool": "another name of AveragePooling",
    "GlobalAvgPool": "another name of GlobalAveragePooling",
    "MaxPool": "another name of MaxPooling",
    "GlobalMaxPool": "another name of GlobalMaxPooling",
    "SeparableConvolution": "another name of SeparableConv",
    "GRUCell": "in StackedRNNCells",
    "LSTMCell": "in StackedRNNCells",
    "SimpleRNNCell": "in RNN",
    "Layer": "abstract",
    "Wrapper": "abstract",
    "InputLayer": "in every model",
    "Pipeline": "holds layers for data sets",
    "CutMix": "takes images and labels",
    "MixUp": "takes images and labels",
    "MaxNumBoundingBoxes": "takes boxes",
    "HashedCrossing": "needs TensorFlow's strings",
    "Hashing": "needs TensorFlow's strings",
    "IntegerLookup": "needs TensorFlow's tables",
    "StringLookup": "needs TensorFlow's strings",
    "TextVectorization": "needs TensorFlow's strings",
    "MelSpectrogram": "a Fourier transform",
    "STFTSpectrogram": "a Fourier transform",
    "FlaxLayer": "wraps another framework",
    "JaxLayer": "wraps another framework",
    "TFSMLayer": "wraps another framework",
    "TorchModuleWrapper": "wraps another framework",
}
"""Layers without a row, and why: by name, or by the beginning of it."""


def names():
    """Give every name in the table, each a model of its own."""
    return [*TABLE, *COMPOSED_NAMES]


def record_one(name, makers):
    """Record one layer and say what came of it."""
    import keras
    import numpy as np

    from fanin.frameworks import keras as framework
    from fanin.graph import Op, Task
    from fanin.graph.roles import roles

    keras.utils.set_random_seed(0)
    model = makers[name]() if name in makers else of_table(name)
    (given,) = model.inputs
    shape = (4, *given.shape[1:])
    generator = np.random.default_rng(0)
    if "int" in str(given.dtype):
        batch = generator.integers(1, 9, size=shape).astype("int32")
    else:
        batch = generator.uniform(0.1, 1.0, size=shape).astype("float32")
    began = time.perf_counter()
    graph = framework.record(model, Task(batch=batch))
    seconds = time.perf_counter() - began
    kinds = roles(graph)
    unknown = [p for p, r in kinds.items() if str(getattr(r, "kind", r)) == "unknown"]
    opaque = Counter(n.primitives[0] for n in graph.nodes if n.op is Op.OPAQUE)
    return {
        "fans": [[n.weight.fan.n_in, n.weight.fan.n_out] for n in graph.linears],
        "opaque": dict(opaque),
        "unknown": unknown,
        "kinds": [n.details["kind"] for n in graph.nodes if n.op is Op.NORMALIZE],
        "outputs": [list(graph.node(o).shape) for o in graph.outputs],
        "seconds": seconds,
    }


def main():
    """Record the layers named, or all of them."""
    wanted = sys.argv[1:] or names()
    makers = composed()
    found = {}
    for name in wanted:
        try:
            found[name] = record_one(name, makers)
        except Exception as error:
            found[name] = {"error": f"{type(error).__name__}: {error}"[:400]}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
