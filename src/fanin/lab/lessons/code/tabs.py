"""Scripts of several frameworks, one shown at a time, without a script of the page."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from fanin.lab.lessons.code import in_jax, in_keras, in_torch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fanin.lab.lessons.code.job import Job

WRITERS: Mapping[str, Callable[[Job], str]] = {
    "PyTorch": in_torch.script,
    "Keras": in_keras.script,
    "JAX": in_jax.script,
}


def code_tabs(name: str, job: Job) -> str:
    """Give the run as code for each framework. name: of this block on its page."""
    return tabs(name, {word: write(job) for word, write in WRITERS.items()})


def tabs(name: str, scripts: Mapping[str, str]) -> str:
    """Give texts of which one is shown, chosen by radio buttons; print shows all."""
    label = name.replace("-", " ")
    inputs = "".join(
        f'<label><input type="radio" name="{name}" value="{number}"'
        f"{' checked' if number == 0 else ''}> {html.escape(word)}</label>"
        for number, word in enumerate(scripts)
    )
    panels = "".join(
        f'<div class="panel-{number}"><p class="print-only">{html.escape(word)}</p>'
        '<pre tabindex="0" role="region" '
        f'aria-label="{html.escape(word)}, {label}"><code>'
        f"{html.escape(text)}</code></pre></div>"
        for number, (word, text) in enumerate(scripts.items())
    )
    return (
        f'<div class="tabs"><fieldset><legend class="visually-hidden">Framework'
        f"</legend>{inputs}</fieldset>{panels}</div>"
    )
