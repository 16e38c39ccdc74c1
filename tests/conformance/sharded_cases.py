"""Models, and the ways in which PyTorch spreads them over processes.

Each way says as well which part of a whole array a process should hold, in terms of
``torch.chunk`` alone: what fanin wrote is compared with that.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.distributed import get_rank
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import CPUOffloadPolicy, fully_shard
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)


class Net(nn.Module):
    """Odd lengths, so that no number of processes divides all of them; one of 1 row."""

    def __init__(self, dtype=torch.float32):
        super().__init__()
        self.up = nn.Linear(6, 22, dtype=dtype)
        self.act = nn.GELU()
        self.down = nn.Linear(22, 13, dtype=dtype)
        self.norm = nn.LayerNorm(13, dtype=dtype)
        self.head = nn.Linear(13, 1, dtype=dtype)

    def forward(self, x):
        return self.head(self.norm(self.down(self.act(self.up(x)))))


class Pictures(nn.Module):
    """Convolutions, and statistics that batch norm keeps."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 10, 3, bias=False)
        self.norm = nn.BatchNorm2d(10)
        self.head = nn.Linear(10, 4)

    def forward(self, x):
        return self.head(self.norm(self.conv(x)).relu().mean((2, 3)))


class Scan(nn.Module):
    """A layer, rates that its author wrote and no law draws, and a mask."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 7)
        self.rates = nn.Parameter(torch.empty(7), requires_grad=False)
        self.register_buffer("mask", torch.empty(7), persistent=False)

    def reset_parameters(self):
        self.layer.reset_parameters()
        self.rates.copy_(torch.arange(7.0))
        self.mask.fill_(1.0)

    def forward(self, x):
        return self.layer(x) * self.rates * self.mask


def llama():
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=37,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=32,
        tie_word_embeddings=True,
    )
    return LlamaForCausalLM(config)


def half():
    return Net(torch.bfloat16)


MODELS = {
    "net": Net,
    "half": half,
    "pictures": Pictures,
    "scan": Scan,
    "llama": llama,
}


def part(array, axis, n_parts, place):
    """Cut an array as torch.chunk does, the last parts shorter or empty."""
    chunks = torch.as_tensor(array).chunk(n_parts, axis)
    if place < len(chunks):
        return chunks[place]
    return chunks[0].narrow(axis, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Fsdp:
    """``fully_shard`` of each layer and of the whole."""

    def spread(self, model, n):
        mesh = init_device_mesh("cpu", (n,))
        # PyTorch cuts a tie that crosses two of these calls: layers, then the rest.
        first = next(model.children())
        for layer in getattr(first, "layers", [first]):
            fully_shard(layer, mesh=mesh)
        return fully_shard(model, mesh=mesh)

    def held(self, path, whole, n):
        return part(whole, 0, n, get_rank())


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """A column-parallel and a row-parallel layer; the rest is whole everywhere."""

    def spread(self, model, n, mesh=None):
        mesh = mesh or init_device_mesh("cpu", (n,))
        ways = {"up": ColwiseParallel(), "down": RowwiseParallel()}
        return parallelize_module(model, mesh, ways)

    def held(self, path, whole, n, rank=None):
        rank = get_rank() if rank is None else rank
        axis = {"up.weight": 0, "up.bias": 0, "down.weight": 1}.get(path)
        return torch.as_tensor(whole) if axis is None else part(whole, axis, n, rank)


@dataclass(frozen=True, kw_only=True)
class Both:
    """``fully_shard`` over one axis of a mesh, tensor parallel over the other."""

    n_tensor: int = 2

    def spread(self, model, n):
        shape = (n // self.n_tensor, self.n_tensor)
        mesh = init_device_mesh("cpu", shape, mesh_dim_names=("data", "tensor"))
        model = Tensor().spread(model, self.n_tensor, mesh["tensor"])
        return fully_shard(model, mesh=mesh["data"])

    def held(self, path, whole, n):
        data, tensor = divmod(get_rank(), self.n_tensor)
        cut = Tensor().held(path, whole, self.n_tensor, tensor)
        return part(cut, 0, n // self.n_tensor, data)


@dataclass(frozen=True, kw_only=True)
class Hybrid:
    """Copies over one axis of a mesh, shards over the other."""

    def spread(self, model, n):
        mesh = init_device_mesh("cpu", (2, n // 2), mesh_dim_names=("copy", "shard"))
        return fully_shard(model, mesh=mesh)

    def held(self, path, whole, n):
        return part(whole, 0, n // 2, get_rank() % (n // 2))


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """``torch.compile`` around ``fully_shard``."""

    def spread(self, model, n):
        return torch.compile(Fsdp().spread(model, n))

    def held(self, path, whole, n):
        return part(whole, 0, n, get_rank())


@dataclass(frozen=True, kw_only=True)
class Offloaded:
    """``fully_shard`` with the shards kept on the CPU."""

    def spread(self, model, n):
        policy = CPUOffloadPolicy(pin_memory=False)
        mesh = init_device_mesh("cpu", (n,))
        return fully_shard(model, mesh=mesh, offload_policy=policy)

    def held(self, path, whole, n):
        return part(whole, 0, n, get_rank())


WAYS = {
    "offloaded": Offloaded(),
    "fsdp": Fsdp(),
    "tensor": Tensor(),
    "both": Both(),
    "hybrid": Hybrid(),
    "compiled": Compiled(),
}
