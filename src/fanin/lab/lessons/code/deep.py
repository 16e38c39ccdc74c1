"""A deep net as a script: built, started right, and its signal printed by layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.lab.lessons.code.job import filled
from fanin.lab.lessons.code.tabs import tabs

if TYPE_CHECKING:
    from fanin.lab.lessons.layers.evidence import Looks

TORCH = {
    "relu": "nn.ReLU()",
    "tanh": "nn.Tanh()",
    "sigmoid": "nn.Sigmoid()",
    "identity": "nn.Identity()",
    "selu": "nn.SELU()",
    "leaky_relu": "nn.LeakyReLU()",
    "gelu_tanh": "nn.GELU('tanh')",
    "silu": "nn.SiLU()",
    "elu": "nn.ELU()",
}
KERAS = {"identity": "linear", "gelu_tanh": "gelu"}
JAX = {
    "relu": "jax.nn.relu",
    "tanh": "jnp.tanh",
    "sigmoid": "jax.nn.sigmoid",
    "identity": "(lambda z: z)",
    "selu": "jax.nn.selu",
    "leaky_relu": "jax.nn.leaky_relu",
    "gelu_tanh": "jax.nn.gelu",
    "silu": "jax.nn.silu",
    "elu": "jax.nn.elu",
}


def deep_tabs(found: Looks) -> str:
    """Give the start to use as code for each framework."""
    recipe = found.better.variant.recipe
    names = {
        "depth": str(recipe.depth),
        "width": str(recipe.width),
        "scheme": recipe.scheme,
        "seed": str(recipe.seed),
    }
    torch = {**names, "phi": TORCH[recipe.activation]}
    keras = {**names, "phi": KERAS.get(recipe.activation, recipe.activation)}
    jax = {**names, "phi": JAX[recipe.activation]}
    return tabs(
        "deep-code",
        {
            "PyTorch": filled(torch, IN_TORCH),
            "Keras": filled(keras, IN_KERAS),
            "JAX": filled(jax, IN_JAX),
        },
    )


IN_TORCH = (
    "import torch",
    "from torch import nn",
    "",
    "import fanin",
    "",
    "layers = []",
    "for _ in range({depth}):",
    "    layers += [nn.Linear({width}, {width}), {phi}]",
    "net = nn.Sequential(*layers)",
    'fanin.init(net, scheme="{scheme}", seed={seed})',
    "",
    "z = torch.randn(256, {width})",
    "for layer in net:",
    "    z = layer(z)",
    "    if isinstance(layer, nn.Linear):",
    "        print(z.square().mean().sqrt().item())",
)
IN_KERAS = (
    "import keras",
    "import numpy as np",
    "",
    "keras.utils.set_random_seed({seed})",
    "z = np.random.default_rng({seed}).standard_normal((256, {width}))",
    "for _ in range({depth}):",
    "    dense = keras.layers.Dense({width}, kernel_initializer='{scheme}')",
    "    z = dense(z)",
    "    print(np.sqrt(np.mean(keras.ops.convert_to_numpy(z) ** 2)))",
    "    z = keras.activations.get('{phi}')(z)",
)
IN_JAX = (
    "import jax",
    "import jax.numpy as jnp",
    "",
    "draw = jax.nn.initializers.{scheme}()",
    "key, first = jax.random.split(jax.random.key({seed}))",
    "z = jax.random.normal(first, (256, {width}))",
    "for _ in range({depth}):",
    "    key, now = jax.random.split(key)",
    "    z = z @ draw(now, ({width}, {width}))",
    "    print(jnp.sqrt(jnp.mean(z**2)))",
    "    z = {phi}(z)",
)
