"""Models and a program that paste a script where there is no fanin.

Run as ``python pasted_models.py NAME SCRIPT ARRAYS``: builds the model of that name,
fills it with a number, runs the script in it, and saves its numbers before and after.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

SENTINEL = 123.25


def torch_decoder():
    from transformers import GPT2Config, GPT2LMHeadModel

    special = {"bos_token_id": 0, "eos_token_id": 0, "use_cache": False}
    sizes = {"n_layer": 3, "n_embd": 32, "n_head": 4, "vocab_size": 50}
    return GPT2LMHeadModel(GPT2Config(**sizes, n_positions=16, **special))


def torch_parameters(model):
    return {n: w.detach().double().numpy() for n, w in model.named_parameters()}


def torch_pasted(model, namespace):
    import torch

    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(SENTINEL)
    before = torch_parameters(model)
    namespace["init_weights"](model)
    return before, torch_parameters(model)


def keras_net():
    import keras
    from keras import layers

    images, words = keras.Input((8, 8, 3)), keras.Input((6, 5))
    seen = layers.Conv2D(8, 3, activation="relu")(images)
    seen = layers.DepthwiseConv2D(3, activation="relu", padding="same")(seen)
    seen = layers.BatchNormalization()(seen)
    seen = layers.Conv2DTranspose(4, 2, strides=2, activation="relu")(seen)
    seen = layers.GlobalAveragePooling2D()(seen)
    read = layers.LSTM(7)(words)
    both = layers.Concatenate()([seen, read])
    hidden = layers.Dense(16, activation="tanh")(both)
    return keras.Model([images, words], layers.Dense(3)(hidden))


def keras_parameters(model, names):
    import keras

    arrays = {}
    for name, variable in names(model).items():
        value = variable.value
        if keras.backend.backend() == "torch":
            value = value.detach()
        arrays[name] = np.asarray(value, dtype=np.float64)
    return arrays


def keras_pasted(model, namespace):
    for variable in model.trainable_variables:
        variable.assign(np.full(tuple(variable.shape), SENTINEL))
    before = keras_parameters(model, namespace["variables_of"])
    namespace["init_weights"](model)
    return before, keras_parameters(model, namespace["variables_of"])


def jax_modules():
    import equinox as eqx
    import jax

    return eqx.nn.MLP(6, 3, width_size=10, depth=3, key=jax.random.key(0))


def jax_parameters(model):
    import jax

    found = jax.tree_util.tree_flatten_with_path(model)[0]
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): np.array(leaf)
        for path, leaf in found
        if hasattr(leaf, "shape")
    }


def jax_pasted(model, namespace):
    import jax

    model = jax.tree.map(
        lambda x: x * 0 + SENTINEL if hasattr(x, "shape") else x, model
    )
    before = jax_parameters(model)
    return before, jax_parameters(namespace["init_params"](model, jax.random.key(1)))


MODELS = {
    "torch": (torch_decoder, torch_pasted),
    "keras": (keras_net, keras_pasted),
    "jax": (jax_modules, jax_pasted),
}


def main(name: str, script: str, arrays: str) -> None:
    sys.modules["fanin"] = None  # an import of fanin is an error from here on
    build, paste = MODELS[name]
    namespace: dict[str, object] = {}
    exec(compile(Path(script).read_text("utf-8"), script, "exec"), namespace)
    before, after = paste(build(), namespace)
    kinds = (("before", before), ("after", after))
    np.savez(arrays, **{f"{k}|{n}": a for k, held in kinds for n, a in held.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
