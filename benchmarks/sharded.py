"""What it costs a process to draw its shards of a model, beside PyTorch's own ways.

Run: ``python -m benchmarks sharded [--worlds 1 2 4] [--blocks 24] [--rounds 3]``. Each
process builds the same model on the meta device, spreads it by ``fully_shard`` on a CPU
mesh (gloo), gives it memory and draws float32 normals. Seconds are of the slowest
process, the best of the rounds; processor seconds are of one process and do not grow
where there are fewer cores than processes. Peak memory is what a process held at most
above what it held before, beside the size of its shards. "fanin.apply" has its plan
already. Rows that are equal to another are counted afterwards.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import pickle
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks._table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

WIDTH = 1024
MEGABYTE = 2**20


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--blocks", type=int, default=24, help="of 4.2 M weights each")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args()


def sharded(n_blocks: int) -> nn.Module:
    """Build a model without memory and spread it over all processes."""
    import torch
    from torch import distributed, nn
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh("cpu", (distributed.get_world_size(),))
    with torch.device("meta"):
        blocks = [
            nn.Sequential(
                nn.Linear(WIDTH, 2 * WIDTH, bias=False),
                nn.ReLU(),
                nn.Linear(2 * WIDTH, WIDTH, bias=False),
                nn.ReLU(),
            )
            for _ in range(n_blocks)
        ]
        model = nn.Sequential(*blocks)
    for block in model:
        fully_shard(block, mesh=mesh)
    return fully_shard(model, mesh=mesh)


def torchs_shards(model: nn.Module) -> None:
    """Give memory; each process draws its shards from its own generator."""
    import torch

    torch.manual_seed(0)
    model.to_empty(device="cpu")
    for parameter in model.parameters():
        torch.nn.init.kaiming_normal_(parameter)


def torchs_wholes(model: nn.Module) -> None:
    """Give memory; each process draws every weight whole and keeps its part."""
    import torch

    torch.manual_seed(0)
    model.to_empty(device="cpu")
    for parameter in model.parameters():
        whole = torch.nn.init.kaiming_normal_(torch.empty(tuple(parameter.shape)))
        mesh: Any = parameter.device_mesh  # type: ignore[attr-defined]
        part = whole.chunk(mesh.size())[mesh.get_local_rank()]
        with torch.no_grad():
            parameter.to_local().copy_(part)  # type: ignore[attr-defined]


def fanins(model: nn.Module) -> None:
    """Plan, give memory, and draw this process's part of the one model."""
    import fanin

    fanin.init(model, scheme="he_normal", seed=0)


def applied(model: nn.Module) -> Callable[[nn.Module], None]:
    """Plan before; give memory and draw when asked."""
    import fanin

    plan = fanin.plan(model, scheme="he_normal", seed=0)
    return lambda given: fanin.apply(plan, given)


WAYS: dict[str, Callable[[nn.Module], Callable[[nn.Module], object]]] = {
    "fanin.init": lambda _: fanins,
    "fanin.apply": applied,
    "nn.init, shards": lambda _: torchs_shards,
    "nn.init, whole, cut": lambda _: torchs_wholes,
}


def measured(way: str, n_blocks: int) -> dict[str, float]:
    """Draw once; give seconds, processor seconds, memory and copied rows."""
    import torch
    from torch import distributed

    model = sharded(n_blocks)
    draw = WAYS[way](model)
    gc.collect()  # the model of the round before, and what the allocator kept of it
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    distributed.barrier()
    before = _resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts here
    start, used = time.perf_counter(), time.process_time()
    draw(model)
    found = {
        "seconds": time.perf_counter() - start,
        "processor": time.process_time() - used,
        "peak": _resident("VmHWM") - before,
        "shards": sum(p.to_local().nbytes for p in model.parameters()) / MEGABYTE,
    }
    weight = next(model.parameters()).full_tensor().detach()
    found["rank"] = float(len(torch.unique(weight, dim=0)) / len(weight))
    return found


def _resident(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith(field))
    return float(line.split()[1]) / 1024


def work(rank: int, world: int, folder: str, given: argparse.Namespace) -> None:
    """Meet the others, measure each way in turn, and leave what was found."""
    import torch
    from torch import distributed

    import fanin

    warnings.simplefilter("ignore")
    torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // world))
    meeting = f"file://{folder}/meeting"
    distributed.init_process_group("gloo", meeting, rank=rank, world_size=world)
    fanin.init(torch.nn.Linear(8, 8), seed=0)  # its kernels are compiled before
    found = {
        way: [measured(way, given.blocks) for _ in range(given.rounds)] for way in WAYS
    }
    Path(folder, f"{rank}.pickle").write_bytes(pickle.dumps(found))
    distributed.barrier()
    distributed.destroy_process_group()


def main() -> None:
    """Run every world, and print a row for each way in it."""
    from torch.multiprocessing import spawn

    from benchmarks.sharded import work  # by a name that the processes can import

    given = options()
    n_cores = len(os.sched_getaffinity(0))
    n_weights = given.blocks * 4 * WIDTH**2
    print(f"{n_weights / 1e6:.0f} M float32 weights, fully_shard, {n_cores} cores\n")
    head = ("processes, way", "s", "CPU s", "peak MB", "shards MB", "distinct rows")
    table = Table(head, is_markdown=given.markdown)
    for world in given.worlds:
        with tempfile.TemporaryDirectory() as folder:
            spawn(work, (world, folder, given), world)
            ranks = [
                pickle.loads(Path(folder, f"{rank}.pickle").read_bytes())
                for rank in range(world)
            ]
        for way in WAYS:
            rounds = list(zip(*(found[way] for found in ranks), strict=True))
            best = min(rounds, key=lambda each: max(r["seconds"] for r in each))
            most = {key: max(each[key] for each in best) for key in best[0]}
            table.row(
                f"{world}, {way}",
                f"{most['seconds']:.2f}",
                f"{most['processor']:.2f}",
                f"{most['peak']:.0f}",
                f"{most['shards']:.0f}",
                f"{most['rank']:.0%}",
            )
    table.close()


if __name__ == "__main__":
    main()
