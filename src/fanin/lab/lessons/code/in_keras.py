"""The script for Keras, on any of its backends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.lab.lessons.code.job import filled, same

if TYPE_CHECKING:
    from fanin.lab.lessons.code.job import Job


def script(job: Job) -> str:
    """Write the run for Keras; it prints the loss before and after."""
    lines = [
        "import keras",
        "import numpy as np",
        "",
        *([f"keras.utils.set_random_seed({job.seed})", ""] if job.scheme else []),
        "x = np.array({x}, dtype='float32')",
        "y = np.array({y}, dtype='float32')",
        "net = keras.Sequential([",
        "    keras.Input((x.shape[1],)),",
        *_layers(job),
        "])",
        *([] if job.scheme else _start(job)),
        "",
        "net.compile(keras.optimizers.SGD({rate}), {loss})",
        "print('before', float(net.evaluate(x, y, verbose=0)))",
        "net.fit(x, y, epochs={n}, batch_size=len(x), shuffle=False, verbose=0)",
        "print('after', float(net.evaluate(x, y, verbose=0)))",
    ]
    binary = "keras.losses.BinaryCrossentropy(from_logits=True)"
    names = {
        "x": str(job.inputs),
        "y": str(job.targets),
        "rate": f"{job.run.rate:g}",
        "n": str(job.run.n_steps),
        "loss": binary if job.is_binary else "'mse'",
    }
    return filled(names, lines)


def _layers(job: Job) -> list[str]:
    net = job.run.net
    initializer = f", kernel_initializer='{job.scheme}'" if job.scheme else ""
    found = []
    for layer in job.layers:
        is_last = layer == net.n_layers
        activation = "" if is_last else f", activation='{net.activation.name}'"
        found.append(
            f"    keras.layers.Dense({net.widths[layer]}{activation}{initializer}),"
        )
        if job.run.has_dropout and not is_last:
            found.append("    keras.layers.Dropout(0.5),")
    return found


def _start(job: Job) -> list[str]:
    lines = ["dense = [layer for layer in net.layers if layer.weights]"]
    for layer in job.layers:
        weight, bias = job.weight(layer), job.bias(layer)
        shape = (len(weight), len(bias))
        both = f"{_array(weight, shape)}, {_array(bias, shape[1:])}"
        lines.append(f"dense[{layer - 1}].set_weights([{both}])")
    return lines


def _array(values: list[list[float]] | list[float], shape: tuple[int, ...]) -> str:
    value = same(values)
    return f"np.array({values})" if value is None else f"np.full({shape}, {value})"
