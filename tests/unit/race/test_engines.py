"""Engines: the same numbers wherever the trials run, and lost workers are replaced."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import fanin
from fanin.api.raced_nets import train_each
from fanin.errors import ArgumentError, MissingDependencyError, UnknownNameError
from fanin.frameworks.torch.ensemble import train
from fanin.race import Experiment, Lost, Store, Trainers, find_engine, run

SMALL = Experiment(
    schemes=("zeros", "he_normal", "auto"),
    activations=("relu",),
    seeds=(0, 1),
    learning_rates=(0.5, 0.1),
    depth=2,
    width=8,
    n_steps=20,
    batch_size=16,
    data="iris",
)


def square(x):
    return x * x


class Fragile:
    """Ends its process the first times that it is given an item, then answers."""

    def __init__(self, folder, *, item, n_times):
        self.folder, self.item, self.n_times = str(folder), item, n_times

    def __call__(self, x):
        if x == self.item:
            for i in range(self.n_times):
                mark = Path(self.folder) / f"died-{i}"
                if not mark.exists():
                    mark.touch()
                    os.kill(os.getpid(), signal.SIGKILL)
        return x * x


def check_same_numbers(engine):
    trainers = Trainers(stacked=train, each=train_each)
    here = run(SMALL, trainers, n_jobs=1)
    there = run(SMALL, trainers, engine=engine)

    assert len(there.results) == SMALL.n_trials
    for one, two in zip(here.results, there.results, strict=True):
        assert one.trial == two.trial
        # The bits of the start: the weights are the same, and so is what they do.
        assert np.array_equal(one.run.start.rms, two.run.start.rms)
        assert one.run.losses == pytest.approx(two.run.losses, rel=1e-5)
        assert one.run.test_accuracy == two.run.test_accuracy


def test_an_engine_that_is_not_known_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'dask'"):
        find_engine("dusk")


@pytest.mark.parametrize(("name", "package"), [("ray", "ray"), ("dask", "distributed")])
def test_without_the_package_the_line_that_installs_it_is_given(
    name, package, monkeypatch
):
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(MissingDependencyError, match=rf"fanin\[{name}\]"):
        find_engine(name)


def test_one_job_runs_in_this_process():
    (found,) = find_engine(n_jobs=1)(lambda _: os.getpid(), [1])

    assert found == os.getpid()


def test_a_local_process_that_dies_is_replaced_and_its_work_done(tmp_path):
    fragile = Fragile(tmp_path, item=3, n_times=2)

    assert sorted(find_engine(n_jobs=2)(fragile, range(8))) == [x * x for x in range(8)]
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.slow  # a pool is started for every try
def test_work_that_always_kills_its_process_is_given_up_alone(tmp_path):
    fragile = Fragile(tmp_path, item=1, n_times=99)
    found = list(find_engine(n_jobs=2)(fragile, [0, 1, 2, 3]))

    (lost,) = (one for one in found if isinstance(one, Lost))
    assert lost.place == 1
    assert sorted(x for x in found if not isinstance(x, Lost)) == [0, 4, 9]


def end(*processes):
    """Ask these processes to end, and end those that do not."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def scheduler():
    """A Dask scheduler and two workers, each a process of its own."""
    pytest.importorskip("distributed")
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
    address = "tcp://127.0.0.1:18786"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    options = ["--host", "127.0.0.1", "--port", "18786", "--no-dashboard"]
    main = subprocess.Popen([*command, *options], **quiet)
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address]
    options = ["--nthreads", "1", "--no-dashboard"]
    workers = [subprocess.Popen([*command, *options], **quiet) for _ in range(2)]
    yield address
    end(*workers, main)


@pytest.mark.filterwarnings("ignore")  # of distributed, as it starts and stops
def test_dask_gives_the_numbers_of_this_machine(scheduler):
    check_same_numbers(find_engine("dask", address=scheduler))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_users_net_is_found_by_workers_that_run_elsewhere(
    scheduler, tmp_path, monkeypatch
):
    (tmp_path / "my_net.py").write_text(
        "import torch\n"
        "def make(width, n_in, n_out):\n"
        "    return torch.nn.Sequential(torch.nn.Linear(n_in, width), "
        "torch.nn.Tanh(), torch.nn.Linear(width, n_out))\n"
    )
    monkeypatch.chdir(tmp_path)
    found = fanin.compare(
        ["he_normal", "auto"], ["tanh"], net="my_net.py:make", data="iris", width=4,
        seeds=(0,), learning_rates=(0.1,), n_steps=3, batch_size=16, progress=False,
        engine="dask", address=scheduler, store=tmp_path / "runs.db",
    )  # fmt: skip

    assert len(found.standings.rows) == 2
    assert Store(tmp_path / "runs.db").run(1).is_done


@pytest.mark.filterwarnings("ignore")
def test_a_dask_worker_that_dies_is_replaced_and_its_work_done(scheduler, tmp_path):
    fragile = Fragile(tmp_path, item=2, n_times=1)

    found = find_engine("dask", address=scheduler)(fragile, range(6))
    assert sorted(found) == [x * x for x in range(6)]
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.filterwarnings("ignore")
def test_a_dask_scheduler_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setattr("fanin.race.engines.on_dask.PATIENCE", 1)
    engine = find_engine("dask", address="tcp://127.0.0.1:1")

    with pytest.raises(ArgumentError, match="a Dask scheduler that runs"):
        list(engine(square, [1]))


def ray_node(*words):
    """Start a node as a person would; ending the command ends the node's processes."""
    ray = Path(sys.executable).with_name("ray")
    common = ["--num-cpus=1", "--object-store-memory=80000000", "--disable-usage-stats"]
    return subprocess.Popen(
        [str(ray), "start", "--block", *words, *common],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def ray_cluster():
    """Two Ray nodes of one core on this machine, each with its own daemons."""
    ray = pytest.importorskip("ray")
    address = "127.0.0.1:6399"
    nodes = [ray_node("--head", "--port=6399", "--include-dashboard=false")]
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:  # till the head answers, then till both do
        try:
            ray.init(address=address, log_to_driver=False, logging_level="error")
        except (ConnectionError, RuntimeError):
            time.sleep(0.5)
            continue
        if len(nodes) == 1:
            nodes.append(ray_node(f"--address={address}"))
        n_alive = sum(node["Alive"] for node in ray.nodes())
        ray.shutdown()
        if n_alive == 2:
            break
        time.sleep(0.5)
    yield address
    end(*reversed(nodes))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of ray, as it starts and stops
def test_ray_on_two_nodes_gives_the_numbers_of_this_machine(ray_cluster):
    import ray

    check_same_numbers(find_engine("ray", address=ray_cluster))
    ray.init(address=ray_cluster, log_to_driver=False)
    try:
        assert len([node for node in ray.nodes() if node["Alive"]]) == 2
    finally:
        ray.shutdown()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_ray_worker_that_dies_is_replaced_and_its_work_done(ray_cluster, tmp_path):
    fragile = Fragile(tmp_path, item=2, n_times=1)
    engine = find_engine("ray", address=ray_cluster)

    assert sorted(engine(fragile, range(6))) == [x * x for x in range(6)]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_ray_cluster_that_is_not_there_is_said_at_once():
    pytest.importorskip("ray")
    engine = find_engine("ray", address="127.0.0.1:1")
    began = time.monotonic()

    with pytest.raises(ArgumentError, match="a Ray cluster that runs"):
        list(engine(square, [1]))
    assert time.monotonic() - began < 30  # Ray itself would wait for four minutes


@pytest.mark.parametrize("name", ["local", "ray", "dask"])
@pytest.mark.parametrize("n_jobs", [0, -2])
def test_fewer_than_one_job_is_refused(name, n_jobs):
    with pytest.raises(ArgumentError, match="at least 1, or -1"):
        find_engine(name, n_jobs=n_jobs)


def test_minus_one_job_is_one_a_core(monkeypatch):
    from fanin.race.engines import on_local

    seen = []
    monkeypatch.setattr(on_local, "engine", lambda *given: seen.append(given))
    find_engine(n_jobs=-1)

    assert seen == [(None, None)]
