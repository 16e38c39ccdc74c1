"""The script for JAX, with nothing but JAX."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.lab.lessons.code.job import filled, same

if TYPE_CHECKING:
    from fanin.lab.lessons.code.job import Job

ACTIVATIONS = {"relu": "jax.nn.relu", "tanh": "jnp.tanh", "sigmoid": "jax.nn.sigmoid"}
SQUARE = "jnp.mean((out - y) ** 2)"
BINARY = "-jnp.mean(y * jax.nn.log_sigmoid(out) + (1 - y) * jax.nn.log_sigmoid(-out))"


def script(job: Job) -> str:
    """Write the run for JAX; it prints the loss before and after."""
    lines = [
        "import jax",
        "import jax.numpy as jnp",
        "",
        "x = jnp.array({x})",
        "y = jnp.array({y})",
        *_start(job),
        "",
        "",
        "def loss(params{key}):",
        "    out = x",
        "    for w, b in params[:-1]:",
        "        out = {phi}(out @ w + b)",
        *_dropout(job),
        "    w, b = params[-1]",
        "    out = out @ w + b",
        "    return {loss}",
        "",
        "",
        *_descent(job),
    ]
    names = {
        "x": str(job.inputs),
        "y": str(job.targets),
        "phi": ACTIVATIONS[job.run.net.activation.name],
        "rate": f"{job.run.rate:g}",
        "n": str(job.run.n_steps),
        "loss": BINARY if job.is_binary else SQUARE,
        "key": ", key" if job.run.has_dropout else "",
    }
    return filled(names, lines)


def _dropout(job: Job) -> list[str]:
    if not job.run.has_dropout:
        return []
    return [
        "        key, now = jax.random.split(key)",
        "        out = out * 2 * jax.random.bernoulli(now, 0.5, out.shape)",
    ]


def _descent(job: Job) -> list[str]:
    more = ", jax.random.key(step)" if job.run.has_dropout else ""
    end = ", jax.random.key({n})" if job.run.has_dropout else ""
    return [
        "for step in range({n}):",
        f"    value, slope = jax.value_and_grad(loss)(params{more})",
        "    params = jax.tree.map(lambda p, g: p - {rate} * g, params, slope)",
        "    print(step, value)",
        f"print({{n}}, loss(params{end}))",
    ]


def _start(job: Job) -> list[str]:
    widths = job.run.net.widths
    if job.scheme:
        return [
            f"draw = jax.nn.initializers.{job.scheme}()",
            f"keys = jax.random.split(jax.random.key({job.seed}), {len(job.layers)})",
            f"widths = {list(widths)}",
            "params = [",
            "    (draw(key, (n_in, n_out)), jnp.zeros(n_out))",
            "    for key, n_in, n_out in zip(keys, widths, widths[1:])",
            "]",
        ]
    rows = []
    for layer in job.layers:
        weight, bias = job.weight(layer), job.bias(layer)
        shape = (len(weight), len(bias))
        rows.append(f"    ({_array(weight, shape)}, {_array(bias, shape[1:])}),")
    return ["params = [", *rows, "]"]


def _array(values: list[list[float]] | list[float], shape: tuple[int, ...]) -> str:
    value = same(values)
    return f"jnp.array({values})" if value is None else f"jnp.full({shape}, {value})"
