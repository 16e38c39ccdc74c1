"""What a torch module reads: as it was recorded, as its config says, or a guess."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from fanin.frameworks.torch.exported import recorded_signature
from fanin.frameworks.torch.transformers_inputs import transformers_signatures
from fanin.frameworks.torch.wrapped import bare
from fanin.graph.signature import InputSignature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph.signature import Signature

BATCH = 32
LENGTH = 16
# Common picture sizes, the likeliest first: a network that flattens fits only one.
SIDES = (32, 28, 64, 224, 96, 128, 16, 8, 299, 384, 48, 256)


def input_signatures(model: Any) -> Iterator[Signature]:
    """Yield signatures the model may accept, the likeliest first.

    An exported program knows what it reads, and a model of ``transformers`` has a
    config. Of any other the first layer in order of registration decides, which is
    the order of execution in most models; the caller tries each one (on shapes alone,
    which costs little).

    >>> next(input_signatures(torch.nn.Sequential(torch.nn.Linear(4, 2)))).shape
    (32, 4)
    """
    recorded = recorded_signature(bare(model))
    if recorded is not None:
        yield recorded
        return
    yield from transformers_signatures(bare(model))
    for module in model.modules():
        found = list(_reads(module))
        if found:
            yield from found
            return


def _reads(module: torch.nn.Module) -> Iterator[InputSignature]:
    if isinstance(module, torch.nn.Embedding):
        yield InputSignature(shape=(BATCH, LENGTH), below=module.num_embeddings)
    elif isinstance(module, torch.nn.Linear):
        yield InputSignature(shape=(BATCH, module.in_features))
        yield InputSignature(shape=(BATCH, LENGTH, module.in_features))
    elif isinstance(module, torch.nn.modules.conv._ConvNd):  # noqa: SLF001
        rank = len(module.kernel_size)
        for side in SIDES:
            yield InputSignature(shape=(BATCH, module.in_channels, *(side,) * rank))
    elif isinstance(module, torch.nn.RNNBase):
        yield InputSignature(shape=(BATCH, LENGTH, module.input_size))
    else:
        yield from _reads_own_matrix(module)


def _reads_own_matrix(module: torch.nn.Module) -> Iterator[InputSignature]:
    """A module of the user's own with a matrix: try both of its sides."""
    for parameter in module.parameters(recurse=False):
        is_lazy = isinstance(parameter, torch.nn.UninitializedParameter)
        if not is_lazy and parameter.dim() == 2:
            yield InputSignature(shape=(BATCH, parameter.shape[1]))
            yield InputSignature(shape=(BATCH, parameter.shape[0]))
            return
