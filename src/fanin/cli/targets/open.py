"""Open a TARGET: find the form that it has, and build the model."""

from __future__ import annotations

import importlib.util
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from fanin.cli.targets import (
    config_folder,
    exported_program,
    keras_file,
    python_object,
    weights_file,
)
from fanin.cli.targets.error import TargetError
from fanin.cli.targets.opened import Wanted

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from fanin.cli.targets.opened import Opened


class Form(Protocol):
    """One form of a TARGET: a module with these names."""

    @property
    def TAKES(self) -> tuple[str, ...]:  # noqa: N802 (a module's constant)
        """Give the options beside TARGET that mean something here."""
        ...

    def fits(self, text: str) -> bool:
        """Say whether the text has this form."""
        ...

    def open_target(self, text: str, wanted: Wanted) -> Opened:
        """Build the model."""
        ...


FORMS: tuple[Form, ...] = (
    keras_file,
    exported_program,
    weights_file,
    config_folder,
    python_object,
)
"""In the order in which they are asked; a Python object is whatever is left."""


def open_target(
    text: str,
    *,
    arch: str | None = None,
    blocks: int | None = None,
    is_weightless: bool = False,
) -> Opened:
    """Give the model that a TARGET names.

    Args:
        text: the TARGET.
        arch: another one, which builds the model whose weights are in a file.
        blocks: build only so many blocks of each stack of a config.
        is_weightless: a PyTorch model's parameters take no memory.

    Raises:
        TargetError: if it names nothing, or something that is no model, or an option
            was given that means nothing for it.
        ModelError: if the user's code raises, or a file cannot be read.
    """
    form = next(form for form in FORMS if form.fits(text))
    for option, given in (("arch", arch), ("blocks", blocks)):
        if given is not None and option not in form.TAKES:
            raise TargetError.of(text, f"--{option} means nothing for it")
    opens = None if arch is None else partial(open_target, arch, blocks=blocks)
    wanted = Wanted(arch=opens, blocks=blocks, is_weightless=is_weightless)
    with _weightless() if is_weightless else nullcontext():
        return form.open_target(text, wanted)


def _weightless() -> AbstractContextManager[Any]:
    if importlib.util.find_spec("torch") is None:
        return nullcontext()  # the model is of another framework
    from fanin.frameworks.torch.weightless import weightless

    return weightless()
