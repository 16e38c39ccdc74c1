from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers, ops

from fanin.errors import BatchError, NoStorageError
from fanin.frameworks import keras as framework
from fanin.frameworks.keras.arrays import to_numpy
from fanin.graph import Op, Task

IMAGES = np.random.default_rng(0).normal(size=(4, 8, 8, 4)).astype("float32")
ROWS = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")


def graph_of(model, batch):
    return framework.record(model, Task(batch=batch))


def ops_of(graph):
    """Ops without what only moves numbers or pads with zeros."""
    skipped = {Op.REARRANGE, Op.CONSTANT, Op.CONCAT}
    return [node.op for node in graph.nodes if node.op not in skipped]


def image_model(*body):
    return keras.Sequential([keras.Input((8, 8, 4)), *body])


# layer, fan_in, fan_out, groups: counted by hand from what one output sums
CONVOLUTIONS = {
    "plain": (lambda: layers.Conv2D(6, 3), 36, 54, 1),
    "same padding": (lambda: layers.Conv2D(6, 3, padding="same"), 36, 54, 1),
    "strided": (lambda: layers.Conv2D(6, 3, strides=2), 36, 13.5, 1),
    "dilated": (lambda: layers.Conv2D(6, 3, dilation_rate=2), 36, 54, 1),
    "grouped": (lambda: layers.Conv2D(6, 3, groups=2), 18, 27, 2),
    "depthwise": (lambda: layers.DepthwiseConv2D(3), 9, 9, 4),
    "depthwise twice": (
        lambda: layers.DepthwiseConv2D(3, depth_multiplier=2),
        9,
        18,
        4,
    ),
    "transposed": (lambda: layers.Conv2DTranspose(6, 4, strides=2), 16, 96, 1),
    "transposed same": (
        lambda: layers.Conv2DTranspose(6, 4, strides=2, padding="same"),
        16,
        96,
        1,
    ),
}


# Share of a window's terms on padding, mean over the 8×8 positions: by hand, from
# 22 of 24 terms along an axis; and for the transposed ones 2·8 of 2·9 or 15 of 16.
BORDERS = {
    "same padding": 1 - (22 / 24) ** 2,
    "transposed": 1 - (32 / 36) ** 2,
    "transposed same": 1 - (30 / 32) ** 2,
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_the_fans_of_a_convolution_are_counted_right(name):
    layer, fan_in, fan_out, groups = CONVOLUTIONS[name]
    graph = graph_of(image_model(layer()), IMAGES)

    (node,) = graph.linears
    assert (node.weight.fan.n_in, node.weight.fan.n_out) == (fan_in, fan_out)
    assert node.weight.roles.groups == groups


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_a_convolution_holds_its_kernel_and_its_bias(name):
    graph = graph_of(image_model(CONVOLUTIONS[name][0]()), IMAGES)
    kernel, bias = graph.parameters

    (node,) = graph.linears
    assert (node.weight.path, node.bias) == (kernel.path, bias.path)
    assert node.shape[node.unit_axis] == bias.shape[0]


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_he_numbers_with_these_fans_give_an_output_of_mean_square_two(name):
    """The fan is the number of terms, held against what the layer really computes.

    Weights and inputs are drawn anew each time, so that the squares are independent
    and their spread is the whole of the sampling error.
    """
    generator = np.random.default_rng(1)
    model = image_model(CONVOLUTIONS[name][0]())
    (node,) = graph_of(model, IMAGES).linears
    kernel, shape = node.weight.path, tuple(model.weights[0].shape)
    squares = []
    for _ in range(60):
        drawn = generator.normal(size=shape) * (2 / node.weight.fan.n_in) ** 0.5
        framework.write(model, {kernel: lambda _, drawn=drawn: drawn})
        images = generator.normal(size=(16, 8, 8, 4)).astype("float32")
        outputs = to_numpy(model(ops.convert_to_tensor(images)))
        squares.append(np.square(outputs).mean())

    expected = 2 * (1 - BORDERS.get(name, 0.0))
    error = float(np.std(squares)) / len(squares) ** 0.5
    assert float(np.mean(squares)) == pytest.approx(expected, abs=5 * error)
    assert 5 * error < 0.25 * expected


def test_a_separable_convolution_is_two_linear_nodes():
    graph = graph_of(image_model(layers.SeparableConv2D(6, 3)), IMAGES)

    kernels = [node.weight.path.split("/")[-1] for node in graph.linears]
    assert kernels == ["depthwise_kernel", "pointwise_kernel"]
    assert [n.weight.fan.n_in for n in graph.linears] == [9.0, 4.0]


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_convolutions_of_any_rank(rank):
    layer = getattr(layers, f"Conv{rank}D")(6, 3)
    model = keras.Sequential([keras.Input((*(6,) * rank, 4)), layer])
    graph = graph_of(model, np.ones((2, *(6,) * rank, 4), "float32"))

    assert graph.linears[0].weight.fan.n_in == 4 * 3**rank


def test_a_dense_net_is_its_layers_and_their_functions():
    model = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(4, activation="gelu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    graph = graph_of(model, ROWS)

    assert ops_of(graph) == [
        Op.INPUT,
        Op.LINEAR,
        Op.ELEMENTWISE,
        Op.LINEAR,
        Op.SOFTMAX,
    ]
    assert [node.path for node in graph.nodes[1:]] == [
        "sequential/dense",
        "sequential/dense",
        "sequential/dense_1",
        "sequential/dense_1",
    ]


ACTIVATIONS = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softplus",
    "softsign",
    "tanh",
    "tanh_shrink",
]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_of_keras_is_one_function_with_its_values(name):
    grid = np.linspace(-3, 3, 48, dtype="float32").reshape(8, 6)
    model = keras.Sequential([keras.Input((6,)), layers.Dense(6, activation=name)])
    graph = graph_of(model, grid)
    (node,) = (n for n in graph.nodes if n.op is Op.ELEMENTWISE)

    expected = to_numpy(keras.activations.get(name)(ops.convert_to_tensor(grid)))
    assert node.function(grid) == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_a_handwritten_activation_is_one_function():
    class Quick(layers.Layer):
        def call(self, inputs):
            return inputs * ops.sigmoid(1.702 * inputs)

    graph = graph_of(
        keras.Sequential([keras.Input((5,)), layers.Dense(4), Quick()]), ROWS
    )
    node = graph.nodes[-1]

    z = np.linspace(-3, 3, 7)
    assert node.op is Op.ELEMENTWISE
    assert node.function(z) == pytest.approx(z / (1 + np.exp(-1.702 * z)), rel=1e-6)


def residual():
    inputs = keras.Input((8, 8, 4))
    x = inputs
    for _ in range(2):
        branch = layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
        branch = layers.BatchNormalization()(branch)
        branch = layers.ReLU()(branch)
        branch = layers.Conv2D(4, 3, padding="same")(branch)
        branch = layers.LayerNormalization()(branch)
        x = layers.Add()([x, branch])
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(3)(x))


def test_a_residual_net_adds_and_normalizes():
    graph = graph_of(residual(), IMAGES)

    block = [
        Op.LINEAR,
        Op.NORMALIZE,
        Op.ELEMENTWISE,
        Op.LINEAR,
        Op.NORMALIZE,
        Op.ADD,
    ]
    assert ops_of(graph) == [Op.INPUT, *block, *block, Op.REDUCE, Op.LINEAR]


def test_normalizations_know_their_kind_axes_eps_and_parameters():
    graph = graph_of(residual(), IMAGES)
    batch, layer = [n for n in graph.nodes if n.op is Op.NORMALIZE][:2]

    assert [n.details["kind"] for n in (batch, layer)] == ["batch", "layer"]
    assert [n.details["axes"] for n in (batch, layer)] == [(0, 1, 2), (3,)]
    assert [n.details["eps"] for n in (batch, layer)] == pytest.approx([1e-3] * 2)
    assert (batch.scale, batch.bias) == (
        "batch_normalization/gamma",
        "batch_normalization/beta",
    )
    assert (layer.scale, layer.bias) == (
        "layer_normalization/gamma",
        "layer_normalization/beta",
    )


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (layers.RMSNormalization, "rms"),
        (lambda: layers.LayerNormalization(scale=False, center=False), "layer"),
        (lambda: layers.BatchNormalization(scale=False), "batch"),
    ],
    ids=["rms", "plain layer", "batch without gain"],
)
def test_other_normalizations_are_recognized(layer, kind):
    graph = graph_of(image_model(layer()), IMAGES)

    kinds = [n.details["kind"] for n in graph.nodes if n.op is Op.NORMALIZE]
    assert kinds == [kind]


def test_a_group_normalization_is_one_node():
    graph = graph_of(image_model(layers.GroupNormalization(2)), IMAGES)

    assert [n.op for n in graph.nodes].count(Op.NORMALIZE) == 1
    assert not [n for n in graph.nodes if n.op is Op.OPAQUE]


@pytest.mark.parametrize(
    ("layer", "p"),
    [
        (lambda: layers.Dropout(0.3), 0.3),
        (lambda: layers.Dropout(0.3, seed=1), 0.3),
        (lambda: layers.SpatialDropout2D(0.25), 0.25),
    ],
    ids=["dropout", "seeded", "spatial"],
)
def test_dropout_is_noise(layer, p):
    graph = graph_of(image_model(layers.Conv2D(4, 1), layer()), IMAGES)

    assert graph.nodes[-1].op is Op.NOISE
    assert graph.nodes[-1].details["p"] == pytest.approx(p, rel=1e-6)


def test_an_embedding_is_a_lookup():
    model = keras.Sequential(
        [
            keras.Input((7,), dtype="int32"),
            layers.Embedding(50, 6),
            layers.GlobalAveragePooling1D(),
            layers.Dense(3),
        ]
    )
    graph = graph_of(
        model, np.random.default_rng(0).integers(50, size=(4, 7)).astype("int32")
    )
    first = graph.linears[0]

    assert first.details["kind"] == "lookup"
    assert first.weight.path == "sequential/embedding/embeddings"
    assert (first.weight.fan.n_in, first.weight.fan.n_out) == (1.0, 6.0)
    assert ops_of(graph) == [Op.INPUT, Op.LINEAR, Op.REDUCE, Op.LINEAR]


def test_a_shared_layer_is_two_nodes_with_one_weight():
    inputs = keras.Input((5,))
    shared = layers.Dense(5, activation="tanh")
    graph = graph_of(keras.Model(inputs, shared(shared(inputs))), ROWS)

    assert [n.weight.path for n in graph.linears] == ["dense/kernel"] * 2


def test_attention_is_two_contractions_around_a_softmax():
    inputs = keras.Input((6, 8))
    attended = layers.MultiHeadAttention(2, 4)(inputs, inputs)
    model = keras.Model(inputs, attended)
    graph = graph_of(model, np.ones((3, 6, 8), "float32"))

    found = ops_of(graph)
    assert len(graph.linears) == 4
    assert found.count(Op.CONTRACT) == 2
    assert found.count(Op.SOFTMAX) == 1


def test_an_lstm_is_recorded_step_by_step():
    model = keras.Sequential([keras.Input((3, 4)), layers.LSTM(5)])
    graph = graph_of(model, np.ones((2, 3, 4), "float32"))

    used = {node.weight.path.split("/")[-1] for node in graph.linears}
    assert used == {"kernel", "recurrent_kernel"}
    assert not [n for n in graph.nodes if n.op is Op.OPAQUE and n.shape[-1:] == (5,)]


def test_training_mode_is_off_if_the_batch_says_so():
    model = image_model(layers.Dropout(0.5), layers.Conv2D(2, 1))
    graph = framework.record(model, Task(batch=lambda m: m(IMAGES, training=False)))

    assert Op.NOISE not in ops_of(graph)


def test_a_model_without_an_argument_training_runs_as_in_fit():
    class Plain(keras.Model):
        def __init__(self):
            super().__init__()
            self.drop = layers.Dropout(0.5)
            self.dense = layers.Dense(3)

        def call(self, inputs):
            return self.dense(self.drop(inputs))

    model = Plain()
    model(ROWS)

    assert Op.NOISE not in ops_of(graph_of(model, ROWS))


def test_the_users_line_is_named():
    class Named(layers.Layer):
        def call(self, inputs):
            return ops.tanh(inputs)

    graph = graph_of(keras.Sequential([keras.Input((5,)), Named()]), ROWS)

    assert graph.nodes[-1].source.startswith("test_record.py:")


def test_recording_changes_nothing():
    model = image_model(
        layers.Conv2D(4, 3), layers.BatchNormalization(), layers.Dropout(0.5)
    )
    before = [to_numpy(v.value) for v in model.variables]
    graph_of(model, IMAGES)

    after = [to_numpy(v.value) for v in model.variables]
    assert all(map(np.array_equal, before, after))


def test_a_batch_of_the_wrong_shape_is_refused():
    with pytest.raises(BatchError, match=r"\(6, 5\)"):
        graph_of(image_model(layers.Conv2D(2, 3)), ROWS)


def test_an_unbuilt_model_is_refused():
    with pytest.raises(NoStorageError, match="not built"):
        graph_of(keras.Sequential([layers.Dense(2)]), ROWS)


def roles_of(graph):
    held = {p.path for p in graph.parameters}
    named = {
        path
        for node in graph.nodes
        for path in (
            node.weight.path if node.weight else None,
            node.bias,
            node.scale,
            node.path if node.op is Op.PARAMETER else None,
        )
        if path in held
    }
    return len(named) / len(held)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["MobileNetV2", "ResNet50", "DenseNet121", "EfficientNetB0", "Xception"]
)
def test_an_application_is_recorded_with_a_place_for_every_parameter(name):
    side = 96 if name == "Xception" else 32
    model = getattr(keras.applications, name)(
        weights=None, input_shape=(side, side, 3), classes=10
    )
    graph = graph_of(model, np.ones((2, side, side, 3), "float32"))

    assert roles_of(graph) == 1.0
    assert not [n for n in graph.nodes if n.op is Op.OPAQUE]
    assert graph.node(graph.outputs[0]).op is Op.SOFTMAX


def test_an_inverted_residual_is_recorded_with_a_place_for_every_parameter():
    inputs = keras.Input((8, 8, 4))
    x = layers.Conv2D(12, 1, use_bias=False)(inputs)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.ZeroPadding2D()(x)
    x = layers.DepthwiseConv2D(3, use_bias=False)(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.BatchNormalization()(layers.Conv2D(4, 1, use_bias=False)(x))
    x = layers.GlobalAveragePooling2D()(layers.Add()([inputs, x]))
    model = keras.Model(inputs, layers.Dense(3, activation="softmax")(x))
    graph = graph_of(model, IMAGES)

    assert roles_of(graph) == 1.0
    assert not [n for n in graph.nodes if n.op is Op.OPAQUE]
    assert graph.node(graph.outputs[0]).op is Op.SOFTMAX
