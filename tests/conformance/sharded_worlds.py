"""Run a piece of work on several real processes (gloo) and collect what each gives.

Processes are forked from a server that has the libraries loaded; they meet over a file,
so that tests may run side by side, and are ended if they do not finish in time.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import time
from datetime import timedelta

import torch
import torch.multiprocessing

LOADED = (
    "torch.distributed.fsdp",
    "torch.distributed.tensor.parallel",
    "torch.nn.parallel",
    "transformers",
    "transformers.models.llama.modeling_llama",
    "fanin.api.planning",
    "fanin.frameworks.torch",
    "fanin.prescription",
)


def on_world(work, n_processes, folder, *given, seconds=120):
    """Call ``work(*given)`` on each process; give what each returned, by rank.

    Raises:
        TimeoutError: if they do not finish in time; they are ended.
        torch.multiprocessing.ProcessRaisedException: what one of them raised.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    multiprocessing.get_context("forkserver").set_forkserver_preload(list(LOADED))
    meeting = folder / f"meeting-{n_processes}-{time.monotonic_ns()}"
    results = [folder / f"result-{meeting.name}-{rank}" for rank in range(n_processes)]
    running = torch.multiprocessing.start_processes(
        _enter,
        args=(work, n_processes, meeting, results, given),
        nprocs=n_processes,
        join=False,
        start_method="forkserver",
    )
    end = time.monotonic() + seconds
    while not running.join(timeout=0.2):
        if time.monotonic() > end:
            for process in running.processes:
                process.kill()
            message = f"{n_processes} processes did not finish in {seconds} seconds"
            raise TimeoutError(message)
    return [pickle.loads(result.read_bytes()) for result in results]


def _enter(rank, work, n_processes, meeting, results, given):
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo",
        init_method=f"file://{meeting}",
        rank=rank,
        world_size=n_processes,
        timeout=timedelta(seconds=60),
    )
    try:
        results[rank].write_bytes(pickle.dumps(work(*given)))
    finally:
        torch.distributed.destroy_process_group()
