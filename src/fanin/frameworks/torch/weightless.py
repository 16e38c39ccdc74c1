"""Build a model whose parameters take no memory, while its buffers are real."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from itertools import count
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.weak import WeakIdKeyDictionary

from fanin.errors import ModelError, UnknownParameterError
from fanin.frameworks.torch.parameters import (
    as_array,
    is_lazy,
    named_parameters,
    require_storage,
)
from fanin.frameworks.torch.wrapped import without_wrappers

if TYPE_CHECKING:
    from collections.abc import (
        Callable,
        Collection,
        Container,
        Iterator,
        MutableMapping,
    )

    import numpy as np


@contextmanager
def weightless(real: Container[int] = ()) -> Iterator[MutableMapping[Any, int]]:
    """Let every parameter go to the meta device as soon as a module has it.

    ``torch.device("meta")`` would take the buffers along, and with them the numbers
    that a constructor computes (running statistics, rotary frequencies).

    Args:
        real: numbers of parameters, as counted by an earlier run of the same code,
            that keep their memory, and with it what their authors write there.

    Yields:
        Each parameter's number, counted in the order in which modules got them.

    >>> with weightless():
    ...     net = torch.nn.BatchNorm1d(3)
    >>> net.weight.is_meta, net.running_var.tolist()
    (True, [1.0, 1.0, 1.0])
    """
    original = torch.nn.Module.register_parameter
    emptied = WeakIdKeyDictionary()  # one for each: what is tied stays tied
    numbers = WeakIdKeyDictionary()
    counter = count()

    def register(
        self: torch.nn.Module, name: str, param: torch.nn.Parameter | None
    ) -> None:
        original(self, name, param)
        if param is None or param in numbers or is_lazy(param):
            return
        if param not in emptied:
            number = next(counter)
            emptied[param] = param if number in real else _emptied(param)
            numbers[emptied[param]] = number
        self._parameters[name] = emptied[param]

    torch.nn.Module.register_parameter = register  # type: ignore[method-assign]
    try:
        yield numbers
    finally:
        torch.nn.Module.register_parameter = original  # type: ignore[method-assign]


def authors_values(
    factory: Callable[[], Any], paths: Collection[str], *, seed: int
) -> dict[str, np.ndarray]:
    """Give what a model's authors write into some of its parameters, by path.

    The model is built twice: once to see which parameter is which, and once more with
    these parameters in memory and all others without (with all of them, where one is a
    copy of another module's). What the authors draw at random
    comes from torch's generator at this seed; its state is put back.

    Raises:
        UnknownParameterError: if the model has no parameter of a path.
        ModelError: if the factory builds another model each time.
    """
    with torch.random.fork_rng():
        with weightless() as numbers:
            outline = factory()
        known = named_parameters(outline)
        for path in paths:
            if path not in known:
                raise UnknownParameterError.of(path, known)
        is_whole = any(known[path] not in numbers for path in paths)
        real = set() if is_whole else {numbers[known[path]] for path in paths}
        torch.manual_seed(seed)
        # A parameter that was copied with its module was never given to one.
        with nullcontext() if is_whole else weightless(real):
            built = factory()
    found = named_parameters(built)
    for path in paths:
        if path not in found or found[path].is_meta:
            message = f"The factory builds another model each time: {path!r} moved."
            raise ModelError(message)
    return {path: as_array(path, found[path]) for path in paths}


def _emptied(parameter: torch.nn.Parameter) -> torch.nn.Parameter:
    return torch.nn.Parameter(
        parameter.detach().to("meta"), requires_grad=parameter.requires_grad
    )


def stored_buffers(model: Any) -> dict[str, tuple[np.ndarray, str]]:
    """Give the buffers that a state_dict holds, by name, each with its dtype.

    What NumPy has no type for (bfloat16) comes as its bits.

    Raises:
        NoStorageError: if one has no memory.

    >>> buffers = stored_buffers(torch.nn.BatchNorm1d(3))
    >>> {name: dtype for name, (_, dtype) in buffers.items()}["running_mean"]
    'float32'
    """
    state = dict(model.state_dict())
    kept = {path for _, path in without_wrappers(model, state)}
    held = dict(model.named_buffers())
    return {
        path: _typed(path, held[raw])
        for raw, path in without_wrappers(model, held)
        if path in kept
    }


def _typed(path: str, tensor: torch.Tensor) -> tuple[np.ndarray, str]:
    require_storage(path, tensor)
    numbers = tensor.detach().to("cpu", copy=True).contiguous()
    if numbers.dtype is torch.bfloat16:
        numbers = numbers.view(torch.int16)
    return numbers.numpy(), str(tensor.dtype).removeprefix("torch.")
