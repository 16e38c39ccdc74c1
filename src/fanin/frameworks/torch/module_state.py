"""What a module is made of, noted so that it can be put back as it was."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from fanin.frameworks.contents import contents_of, put_back
from fanin.frameworks.torch.wrapped import HOOKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import torch

TABLES: Final = ("_parameters", "_buffers", "_modules", *HOOKS)
"""The dicts in which a module holds what it owns."""


def state_of(module: torch.nn.Module) -> dict[str, Any]:
    """Give a module's attributes, its tables copied so that changes can be undone."""
    state = dict(module.__dict__)
    for table in TABLES:
        state[f"\0{table}"] = dict(state[table])
    held = [v for name, v in module.__dict__.items() if name not in TABLES]
    state["\0contents"] = contents_of(held)
    return state


def restore(module: torch.nn.Module, state: dict[str, Any]) -> None:
    """Put back what ``state_of`` gave; the state is used up."""
    for table in TABLES:
        kept = state.pop(f"\0{table}")
        state[table].clear()
        state[table].update(kept)
    put_back(state.pop("\0contents"))
    module.__dict__.clear()
    module.__dict__.update(state)


@contextmanager
def undone_on_error(modules: Iterable[torch.nn.Module]) -> Iterator[None]:
    """Put modules back as they were if an error leaves the block.

    >>> import torch
    >>> layer = torch.nn.Linear(1, 1)
    >>> try:
    ...     with undone_on_error([layer]):
    ...         layer.in_features = 7
    ...         raise KeyError
    ... except KeyError:
    ...     print(layer.in_features)
    1
    """
    kept = [(module, state_of(module)) for module in modules]
    try:
        yield
    except BaseException:
        for module, state in kept:
            restore(module, state)
        raise
