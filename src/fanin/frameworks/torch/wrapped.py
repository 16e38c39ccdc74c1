"""Wrappers around a module: what they add to the names of what is in it, and no more.

A model that is compiled, or handed to several devices, is another module with the same
parameters. fanin names them as the model itself does, and runs the model itself.
"""

from __future__ import annotations

import sys
import warnings
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import torch

HOLDERS: Final[Mapping[str, str]] = {
    "OptimizedModule": "_orig_mod",
    "DistributedDataParallel": "module",
    "DataParallel": "module",
    "AveragedModel": "module",
    "FullyShardedDataParallel": "_fsdp_wrapped_module",
    "CheckpointWrapper": "_checkpoint_wrapped_module",
}
"""By class of torch's own, the attribute that holds the wrapped module."""


def held_by(module: Any) -> str | None:
    """Give the attribute that holds the module that this one wraps; None if none does.

    It is told by the class: an attribute that is called ``module`` is a name like any
    other in a module of the user's own.

    >>> import torch
    >>> net = torch.nn.Module()
    >>> net.module = torch.nn.Linear(1, 1)
    >>> held_by(net), held_by(torch.nn.DataParallel(net))
    (None, 'module')
    """
    for kind in type(module).__mro__:
        if kind.__module__.startswith("torch.") and kind.__name__ in HOLDERS:
            return HOLDERS[kind.__name__]
    return None


def bare(model: Any) -> Any:
    """Give the model inside all of its wrappers."""
    name = held_by(model)
    return model if name is None else bare(getattr(model, name))


def module_paths(model: torch.nn.Module) -> dict[str, str]:
    """Give each module's path without wrappers, by its path with them.

    >>> import torch
    >>> net = torch.nn.DataParallel(torch.nn.Sequential(torch.nn.Linear(1, 1)))
    >>> module_paths(net)
    {'': '', 'module': '', 'module.0': '0'}
    """
    found = {"": ""}
    holders = {"": held_by(model)}
    for path, module in model.named_modules(remove_duplicate=False):
        if path:
            parent, _, name = path.rpartition(".")
            holders[path] = held_by(module)
            is_held = holders[parent] == name
            found[path] = found[parent] if is_held else joined(found[parent], name)
    return found


def without_wrappers(
    model: torch.nn.Module, paths: Iterable[str]
) -> Iterator[tuple[str, str]]:
    """Yield the paths of parameters or buffers, each with its path without wrappers."""
    modules = module_paths(model)
    for path in paths:
        parent, _, name = path.rpartition(".")
        yield path, joined(modules[parent], name)


def joined(parent: str, name: str) -> str:
    """Join two parts of a path."""
    return f"{parent}.{name}" if parent else name


def class_name(module: Any) -> str:
    """Give the name of a module's class as its author wrote it.

    ``fully_shard`` gives a module a class of its own, made from the author's.

    >>> import torch
    >>> class_name(torch.nn.Linear(1, 1))
    'Linear'
    """
    kinds = type(module).__mro__
    is_made = kinds[1].__module__.startswith("torch.distributed.")
    return kinds[2 if is_made else 0].__name__


def without_communication(modules: Iterable[torch.nn.Module]) -> None:
    """Take off the hooks by which modules exchange tensors with other processes.

    They gather, cut and reduce around a module's forward pass (``fully_shard``,
    ``parallelize_module``); a module that holds its whole weights needs none. The
    caller puts the tables of hooks back.
    """
    for module in modules:
        for table in HOOKS:
            hooks: dict[int, Any] = getattr(module, table)
            for key in [key for key, hook in hooks.items() if _is_torchs(hook)]:
                del hooks[key]


HOOKS: Final = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
)


def _is_torchs(hook: Any) -> bool:
    function = getattr(hook, "func", hook)  # of functools.partial
    name = getattr(function, "__module__", None) or ""
    return name.startswith("torch.distributed.")


@contextmanager
def uncompiled(model: torch.nn.Module) -> Iterator[None]:
    """Let modules that were compiled run as they were written, quietly."""
    is_compiled = any(
        held_by(module) == HOLDERS["OptimizedModule"] for module in model.modules()
    )
    with ExitStack() as stack:
        if is_compiled:
            compiler = sys.modules["torch"].compiler
            stack.enter_context(compiler.set_stance("force_eager"))
            stack.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", "Using `torch.compile")
        yield
