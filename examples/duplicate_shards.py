"""PyTorch's recipe for a sharded model draws copies on a CPU mesh; fanin does not.

    python examples/duplicate_shards.py

Four processes (gloo, on this machine) build one layer on the meta device, spread its
weight by ``fully_shard`` and initialize it: first as PyTorch's documentation says
(``to_empty``, the same ``manual_seed`` on every process, ``nn.init``), then by
``fanin.init``. Each time the weight is put together and looked at.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import torch
from torch import distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

import fanin

WIDTH = 64


def sharded_layer(n_processes: int) -> nn.Module:
    """Build a layer without memory and spread it over the processes."""
    with torch.device("meta"):
        layer = nn.Linear(WIDTH, WIDTH, bias=False)
    return fully_shard(layer, mesh=init_device_mesh("cpu", (n_processes,)))


def as_documented(n_processes: int) -> nn.Module:
    """Initialize as PyTorch's documentation of ``fully_shard`` does."""
    layer = sharded_layer(n_processes)
    layer.to_empty(device="cpu")
    torch.manual_seed(0)
    nn.init.kaiming_normal_(layer.weight)
    return layer


def with_fanin(n_processes: int) -> nn.Module:
    """Initialize by fanin: memory, and this process's rows of the one weight."""
    layer = sharded_layer(n_processes)
    fanin.init(layer, scheme="he_normal", seed=0)
    return layer


def report(name: str, layer: nn.Module) -> None:
    """Say what the weight is; every process takes part, the first one prints."""
    whole = layer.weight.full_tensor().detach()
    n_independent = int(torch.linalg.matrix_rank(whole))
    found = fanin.check(layer, select=["FAN810"]).findings
    if distributed.get_rank() == 0:
        print(f"{name:<22} rank {n_independent:>2} of {WIDTH}, std {whole.std():.4f}")
        for finding in found:
            print(f"    {finding.code} {finding.where}: {finding.message}")


def work(rank: int, n_processes: int, meeting: str) -> None:
    """Meet the other processes, and do it both ways."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    distributed.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=n_processes
    )
    report("PyTorch's recipe", as_documented(n_processes))
    report("fanin.init", with_fanin(n_processes))
    distributed.destroy_process_group()


def main(n_processes: int = 4) -> None:
    """Start the processes."""
    with tempfile.TemporaryDirectory() as folder:
        meeting = str(Path(folder) / "meeting")
        torch.multiprocessing.spawn(work, (n_processes, meeting), n_processes)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
