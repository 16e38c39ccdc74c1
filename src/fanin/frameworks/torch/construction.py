"""Build a model once more and watch: which memory is never written, and who wrote what.

The factory runs with every random stream as it is, and all streams are put back. New
memory is filled with NaN (PyTorch's deterministic mode), so that what nobody writes
shows, even where memory happens to hold zeros.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from fanin.errors import FaninError, ModelError
from fanin.frameworks._aten.random_state import kept
from fanin.frameworks.torch.parameters import is_lazy, named_parameters, parameters
from fanin.frameworks.torch.writes import Watch, storage_of
from fanin.graph.construction import Construction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def construct(factory: Callable[[], Any]) -> Construction:
    """Call the factory once and say what was written, and what was not.

    Args:
        factory: callable() → a module, as the one that is checked was built.

    Raises:
        ModelError: if the factory raises, or gives no module.

    >>> class Table(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.rows = torch.nn.Parameter(torch.empty(2, 3))
    ...         self.bias = torch.nn.Parameter(torch.zeros(3))
    >>> found = construct(Table)
    >>> found.never_written, [str(w.kind) for w in found.writes["bias"]]
    (('rows',), ['constant'])
    """
    with kept(), unwritten_is_nan(), Watch() as watch:
        model = _built(factory)
        watch.close()
        named = named_parameters(model)
        known = {p.path: named[p.path] for p in parameters(model)}
        writes = {path: watch.history(tensor) for path, tensor in known.items()}
    return Construction(
        never_written=tuple(p for p, t in known.items() if _holds_nan(t)),
        writes={path: found for path, found in writes.items() if found},
    )


def _built(factory: Callable[[], Any]) -> torch.nn.Module:
    try:
        model = factory()
    except FaninError:
        raise
    except Exception as why:
        what = f"The factory raised when it was called once more: {why}"
        raise ModelError(what) from why
    if not isinstance(model, torch.nn.Module):
        what = f"The factory gave a {type(model).__name__}; it must give a module."
        raise ModelError(what)
    return model


@contextmanager
def unwritten_is_nan() -> Iterator[None]:
    """Fill new memory with NaN; afterwards PyTorch's switches are as they were.

    >>> with unwritten_is_nan():
    ...     bool(torch.empty(2).isnan().all())
    True
    """
    settings: Any = torch.utils.deterministic
    was_on = torch.are_deterministic_algorithms_enabled()
    was_mild = torch.is_deterministic_algorithms_warn_only_enabled()
    was_filled = settings.fill_uninitialized_memory
    try:
        # What has no deterministic form warns then, where it would raise.
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
        settings.fill_uninitialized_memory = True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        settings.fill_uninitialized_memory = was_filled
        torch.use_deterministic_algorithms(mode=was_on, warn_only=was_mild)


def _holds_nan(tensor: torch.Tensor) -> bool:
    """Say whether memory that was made holds NaN in any entry."""
    if is_lazy(tensor) or tensor.is_meta or storage_of(tensor) is None:
        return False
    return bool(torch.isnan(tensor.detach()).any())
