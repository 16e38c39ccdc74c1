"""Run a model once with the recorder on: the graph, and where its nodes ran."""

from __future__ import annotations

import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from fanin.frameworks._aten.literals import Literals
from fanin.frameworks._aten.recorder import MOST_SHOWN, Recorder
from fanin.frameworks._aten.sizes import as_float64
from fanin.frameworks.torch.batch import tensors_in
from fanin.frameworks.torch.brought import Brought
from fanin.frameworks.torch.materialize_buffers import known_buffers
from fanin.frameworks.torch.parameters import is_lazy, named_parameters, parameters
from fanin.frameworks.torch.place import Whereabouts
from fanin.frameworks.torch.sharded import whole_of
from fanin.graph.builder import GraphBuilder
from fanin.graph.uncollected import uncollected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fanin.frameworks._aten.product import Product
    from fanin.frameworks.torch.batch import Arguments
    from fanin.frameworks.torch.loan import Substitutes
    from fanin.graph import Graph, Parameter

FUSED: Final = (torch.nn.RNNBase, torch.nn.RNNCellBase)
"""Layers that run as one kernel on real numbers unless it is switched off."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What one run showed.

    sites: by node id, the operation that gave its output (number in order, which of
    its outputs), where an operation did. given: by node id, the tensors of the batch.
    names: of all operations, in order. output: what the model gave.
    """

    graph: Graph
    sites: Mapping[int, tuple[int, int]]
    given: Mapping[int, torch.Tensor]
    names: tuple[str, ...]
    output: Any


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """What a model holds, noted before other tensors take the parameters' place.

    parameters: its records. numbers: by path of a parameter, the numbers of those that
    are small; None for the others. known: by path of a buffer or a parameter of one
    number, a copy of it on the CPU.
    """

    parameters: tuple[Parameter, ...]
    numbers: Mapping[str, np.ndarray | None]
    known: Mapping[str, torch.Tensor]

    @classmethod
    def of(cls, model: Any) -> Portrait:
        """Look at a model."""
        named = named_parameters(model)
        held: dict[str, torch.Tensor] = {
            p: t for p, t in named.items() if not is_lazy(t) and t.numel() == 1
        }
        held |= {p: t for p, t in model.named_buffers() if not is_lazy(t)}
        held |= known_buffers(model)
        return cls(
            parameters=parameters(model),
            numbers={path: _numbers(tensor) for path, tensor in named.items()},
            known={path: _on_cpu(t) for path, t in held.items() if not t.is_meta},
        )

    def at(self, values: Mapping[str, np.ndarray]) -> Portrait:
        """Give the portrait of the model at other values of some parameters."""
        small = {p: v for p, v in values.items() if v.size <= MOST_SHOWN}
        single = {p: v for p, v in small.items() if p in self.known}
        numbers = {p: np.asarray(v, dtype=np.float64) for p, v in small.items()}
        known = {
            p: torch.from_numpy(np.array(v)).to(self.known[p])
            for p, v in single.items()
        }
        return replace(
            self,
            numbers={**self.numbers, **numbers},
            known={**self.known, **known},
        )


def recorded(
    model: Any,
    arguments: Arguments,
    substitutes: Substitutes,
    portrait: Portrait,
    change: Callable[[Product], torch.Tensor] | None = None,
    *,
    on_numbers: Arguments | None = None,
) -> Recording:
    """Run a borrowed model once, and write down every operation.

    Args:
        model: already holding the substitutes.
        arguments: what it is called with.
        substitutes: the parameters that it runs with, by path.
        portrait: of the model before.
        change: see ``Recorder``.
        on_numbers: the same with their numbers, where ``arguments`` have none.
    """
    is_measured = on_numbers is None
    builder = GraphBuilder(
        framework="torch",
        parameters=portrait.parameters,
        batch_size=_batch_size(arguments),
        is_training=model.training,
        is_measured=is_measured,
    )
    whereabouts = Whereabouts(model)
    recorder = Recorder(builder, place=whereabouts, change=change)
    leaves: dict[int, torch.Tensor] = {}
    if arguments.call is not None:
        leaves = Brought(recorder).follow(model)
    _announce_memory(recorder, model, substitutes, portrait)
    inputs = _announced_batch(recorder, builder, arguments, on_numbers)
    with ExitStack() as stack:
        stack.enter_context(uncollected())
        stack.enter_context(decomposed(model))
        stack.enter_context(whereabouts.followed())
        if not is_measured:
            stack.enter_context(Literals())
        stack.enter_context(recorder)
        output = arguments.run(model)
    found = [t for _, t in tensors_in(output, "output") if t.is_floating_point()]
    with uncollected():
        built = builder.build([recorder.value_of(tensor) for tensor in found])
    given = {**inputs, **leaves}
    return Recording(
        graph=built.graph,
        sites={
            n: recorder.calls[v] for n, v in built.sites.items() if v in recorder.calls
        },
        given={n: given[v] for n, v in built.sites.items() if v in given},
        names=tuple(recorder.names),
        output=output,
    )


def _batch_size(arguments: Arguments) -> int | None:
    return None if arguments.call is not None else arguments.batch_size


def _announce_memory(
    recorder: Recorder, model: Any, substitutes: Substitutes, portrait: Portrait
) -> None:
    """Tell the recorder of parameters and buffers, with their numbers if small."""
    builder = recorder.builder
    for path, tensor in substitutes.items():
        numbers = portrait.numbers[path] if tensor.is_meta else _numbers(tensor)
        value = builder.parameter(path, numbers)
        recorder.announce(tensor, value, portrait.known.get(path))
    for path, buffer in model.named_buffers():
        known = portrait.known.get(path)
        value = builder.constant(
            None if known is None else _numbers(known), tuple(buffer.shape)
        )
        recorder.announce(buffer, value, numbers=known)


def _on_cpu(tensor: torch.Tensor) -> torch.Tensor:
    """Copy a tensor as it is; a sparse or a quantized one stays unknown elsewhere."""
    with torch.inference_mode(mode=False), torch.no_grad():
        return whole_of(tensor).detach().to("cpu", copy=True)


def _announced_batch(
    recorder: Recorder,
    builder: GraphBuilder,
    arguments: Arguments,
    on_numbers: Arguments | None,
) -> dict[int, torch.Tensor]:
    """Tell the recorder of the batch; give its tensors by value.

    Of indices and truth values the numbers are told too: a model may ask for them.
    """
    inputs: dict[int, torch.Tensor] = {}
    tensors = arguments.tensors
    others = tensors if on_numbers is None else on_numbers.tensors
    for tensor, held in zip(tensors, others, strict=True):
        if tensor.dim() > 0:
            is_index = not tensor.is_floating_point()
            numbers = None if is_index or held.is_meta else as_float64(held)
            shape = tuple(tensor.shape)
            value = builder.input(shape, is_index=is_index, numbers=numbers)
            is_known = is_index and not held.is_meta
            known = _on_cpu(held) if is_known else None
            recorder.announce(tensor, value, numbers=known)
            inputs[value] = held.detach().clone()  # a model may write into it
    return inputs


def _numbers(tensor: torch.Tensor) -> np.ndarray | None:
    """Give a small parameter's numbers: a PReLU's slope is part of its function."""
    if is_lazy(tensor) or tensor.is_meta:
        return None
    if tensor.numel() > MOST_SHOWN or tensor.is_complex():
        return None
    held = whole_of(tensor).detach()
    numbers: np.ndarray = held.to("cpu", torch.float64).numpy().copy()
    return numbers


@contextmanager
def decomposed(model: Any) -> Iterator[None]:
    """Let recurrent layers and attention run as the operations that they consist of."""
    is_fused = any(isinstance(module, FUSED) for module in model.modules())
    with ExitStack() as stack:
        if is_fused:
            stack.enter_context(_without_onednn())
        if is_fused and torch.backends.cudnn.is_available():  # type: ignore[no-untyped-call]
            stack.enter_context(torch.backends.cudnn.flags(enabled=False))
        backend = torch.nn.attention.SDPBackend.MATH
        stack.enter_context(torch.nn.attention.sdpa_kernel(backend))
        yield


@contextmanager
def _without_onednn() -> Iterator[None]:
    """Switch oneDNN off; torch warns of Intel GPUs whenever its flags are set."""
    flags = torch.backends.mkldnn.flags(enabled=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        flags.__enter__()
    try:
        yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            flags.__exit__(None, None, None)
