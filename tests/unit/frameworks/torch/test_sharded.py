"""Weights that are spread over processes are read as a whole, and their shards told."""

from __future__ import annotations

import os
import socket
import sys

import numpy as np
import pytest
import torch

SIZE = 8


def read_on(rank, port, folder):
    """Make a weight of two shards drawn from one seed, on one of two processes."""
    os.environ |= {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "WORLD_SIZE": "2",
    }
    from torch import distributed
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import DTensor, Shard

    from fanin.frameworks import torch as framework

    distributed.init_process_group("gloo", rank=rank, world_size=2)
    mesh = init_device_mesh("cpu", (2,))
    model = torch.nn.Linear(SIZE, 2 * SIZE, bias=False)
    torch.manual_seed(0)
    shard = DTensor.from_local(torch.randn(SIZE, SIZE), mesh, [Shard(0)])
    model.weight = torch.nn.Parameter(shard)
    value = framework.read(model)["weight"]
    np.save(f"{folder}/{rank}.npy", value)
    distributed.destroy_process_group()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked")
def test_shards_drawn_from_one_seed_are_seen_in_the_whole_weight(tmp_path):
    from fanin.rules.fan810_equal_shards import equal_blocks

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    torch.multiprocessing.spawn(read_on, args=(port, tmp_path), nprocs=2)

    wholes = [np.load(tmp_path / f"{rank}.npy") for rank in range(2)]
    assert [whole.shape for whole in wholes] == [(2 * SIZE, SIZE)] * 2
    assert [equal_blocks(whole) for whole in wholes] == [(2, 0)] * 2
