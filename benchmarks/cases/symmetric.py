"""Cases 11 to 17: units or layers that are copies of each other."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from benchmarks.cases.case import (
    CLASSES,
    FEATURES,
    WIDTH,
    Case,
    Checked,
    classified,
    codes,
    filled,
    numbers,
    sound,
)
from benchmarks.cases.stuck import GITHUB, Adapter

STACK = "https://stackoverflow.com/questions/"


def xor(weight: float | None) -> Checked:
    """Build the XOR net of two inputs and four sigmoid units; None: drawn."""
    model = sound((2, 4, 1), nn.Sigmoid, gain=1.0)
    if weight is not None:
        filled(model, weight)
    batch = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    target = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
    return Checked(model=model, batch=batch, loss="mse", target=target)


def zero_layers(*, all_of_them: bool) -> Checked:
    """Build a net of zeros, or the same without its hidden layer."""
    sizes = (FEATURES, WIDTH, CLASSES) if all_of_them else (FEATURES, CLASSES)
    return classified(filled(sound(sizes), 0.0))


def encoder(*, redrawn: bool) -> Checked:
    """Build torch's encoder, which copies its layer; or draw each copy again."""
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(
        WIDTH, 4, 2 * WIDTH, dropout=0.0, batch_first=True, norm_first=True
    )
    body = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
    for parameter in body.parameters():
        if redrawn and parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
    return Checked(model=body, batch=numbers(16, 8, WIDTH))


def adapters(*, cloned: bool) -> Checked:
    """Build a stack of adapted layers, copies of one or each drawn."""
    net = sound((WIDTH, WIDTH, WIDTH, CLASSES))
    first = Adapter(net[0])
    layers = [copy.deepcopy(first) if cloned else Adapter(net[i]) for i in (0, 2)]
    if cloned:
        layers[1].dense = net[2].requires_grad_(requires_grad=False)
    model = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), net[4])
    return classified(model, numbers(64, WIDTH))


def shared_in_keras(*, shared: bool) -> Checked:
    """Build three Keras layers with one initializer object, or with its name."""
    import keras

    keras.utils.set_random_seed(0)
    one = keras.initializers.HeNormal(seed=0)
    dense = keras.layers.Dense
    net = keras.Sequential(
        [
            keras.layers.Input((WIDTH,)),
            *(
                dense(WIDTH, "relu", kernel_initializer=one if shared else "he_normal")
                for _ in range(3)
            ),
            dense(
                CLASSES, kernel_initializer=keras.initializers.RandomNormal(0.0, 0.05)
            ),
        ]
    )
    return Checked(
        model=net,
        batch=numbers(64, WIDTH).numpy(),
        loss="cross_entropy",
        target=numbers(64).numpy().argsort() % CLASSES,
    )


def one_key(*, fixed: bool) -> Checked:
    """Build three Flax layers from one key, or from a stream of keys."""
    from flax import nnx

    class Net(nnx.Module):
        def __init__(self) -> None:
            stream = nnx.Rngs(0)
            he = nnx.initializers.he_normal()
            self.layers = nnx.List(
                nnx.Linear(
                    WIDTH, WIDTH, kernel_init=he, rngs=nnx.Rngs(0) if fixed else stream
                )
                for _ in range(3)
            )
            small = nnx.initializers.normal(0.05)
            self.head = nnx.Linear(WIDTH, CLASSES, kernel_init=small, rngs=stream)

        def __call__(self, x: Any) -> Any:
            for layer in self.layers:
                x = nnx.relu(layer(x))
            return self.head(x)

    return Checked(
        model=Net(),
        batch=numbers(64, WIDTH).numpy(),
        loss="cross_entropy",
        target=numbers(64).numpy().argsort() % CLASSES,
    )


CASES = (
    Case(
        number="11",
        title="XOR from zeros",
        source=STACK + "42516484",
        codes=codes("101 103"),
        broken=lambda: xor(0.0),
        mended=lambda: xor(None),
    ),
    Case(
        number="12",
        title="all weights and biases 1",
        source="https://datascience.stackexchange.com/questions/79607",
        codes=codes("103"),
        broken=lambda: classified(filled(sound(), 1.0, 1.0)),
        mended=lambda: classified(sound()),
    ),
    Case(
        number="13",
        title="zeros with a hidden layer; without one they are fine",
        source="https://stats.stackexchange.com/questions/316898",
        codes=codes("101"),
        broken=lambda: zero_layers(all_of_them=True),
        mended=lambda: zero_layers(all_of_them=False),
    ),
    Case(
        number="14",
        title="nn.TransformerEncoder copies one layer",
        source=GITHUB + "pytorch/pytorch/issues/86274",
        codes=codes("803"),
        broken=lambda: encoder(redrawn=False),
        mended=lambda: encoder(redrawn=True),
    ),
    Case(
        number="15",
        title="_get_clones gives every LoRA the same A",
        source=GITHUB + "meta-pytorch/torchtune/issues/2270",
        codes=codes("803"),
        broken=lambda: adapters(cloned=True),
        mended=lambda: adapters(cloned=False),
    ),
    Case(
        number="16",
        title="one initializer object for several Keras layers",
        source=GITHUB + "keras-team/keras-hub/issues/352",
        codes=codes("804"),
        broken=lambda: shared_in_keras(shared=True),
        mended=lambda: shared_in_keras(shared=False),
    ),
    Case(
        number="17",
        title="the key is fixed in the module",
        source=GITHUB + "matthias-wright/flaxmodels/issues/3",
        codes=codes("803 805"),
        broken=lambda: one_key(fixed=True),
        mended=lambda: one_key(fixed=False),
    ),
)
