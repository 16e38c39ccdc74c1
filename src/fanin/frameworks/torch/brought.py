"""The batch of a caller's own function: what it calls the model with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch.utils._python_dispatch import _disable_current_modes

from fanin.frameworks._aten.sizes import as_float64
from fanin.frameworks.torch.batch import tensors_in
from fanin.graph.draft import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from fanin.frameworks._aten.recorder import Recorder


class Brought:
    """Finds the tensors that a function brings along, and which axis is the samples'.

    A tensor that the model is called with is an input, wherever it was made; so is one
    that no operation made (a target). Samples lie along the first axis of the first
    tensor if the model's first output is as long.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._builder = recorder.builder
        self._as_constant = recorder.leaf
        self._leaves: dict[int, torch.Tensor] = {}
        self._n_first: int | None = None

    def follow(self, model: torch.nn.Module) -> dict[int, torch.Tensor]:
        """Watch for a borrowed model's calls; give the tensors by value, as they come.

        The model's hooks are put back when the loan ends.
        """
        self._recorder.leaf = self._leaf
        model.register_forward_pre_hook(self._see_call, with_kwargs=True)
        model.register_forward_hook(self._see_output)
        return self._leaves

    def _leaf(self, tensor: torch.Tensor) -> int:
        if tensor.dim() == 0 or tensor.numel() == 1:
            return self._as_constant(tensor)
        return self._input(tensor)

    def _input(self, tensor: torch.Tensor) -> int:
        is_index = not tensor.is_floating_point()
        with _disable_current_modes():
            held = tensor.detach().clone()
            numbers = None if is_index or held.is_meta else as_float64(held)
        shape = tuple(tensor.shape)
        value = self._builder.input(shape, is_index=is_index, numbers=numbers)
        self._leaves[value] = held
        return value

    def _see_call(self, model: Any, args: Any, kwargs: Mapping[str, Any]) -> None:
        del model
        for _, tensor in tensors_in((args, kwargs)):
            if tensor.dim() == 0 or tensor.is_complex():
                continue
            kind = self._builder.drafts[self._recorder.value_of(tensor)].kind
            if kind in {Kind.CONSTANT, Kind.RANDOM}:
                self._recorder.announce(tensor, self._input(tensor))
            if self._n_first is None:
                self._n_first = len(tensor)

    def _see_output(self, model: Any, args: Any, output: Any) -> None:
        del model, args
        found = (tensor for _, tensor in tensors_in(output))
        first = next((tensor for tensor in found if tensor.dim() > 0), None)
        is_shared = first is not None and len(first) == self._n_first
        if is_shared and self._builder.batch_size is None:
            self._builder.batch_size = self._n_first
