"""A model that is spread over real processes gets the bits that one process draws."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest
import torch

import fanin
from examples.duplicate_shards import as_documented, with_fanin
from fanin.frameworks.torch.parameters import named_parameters
from fanin.frameworks.torch.sharded import local_of
from tests.conformance.sharded_cases import MODELS, WAYS
from tests.conformance.sharded_worlds import on_world

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked")

SEED = 3
EVERYDAY = [
    ("net", "fsdp", 1),
    ("net", "fsdp", 2),
    ("net", "fsdp", 3),
    ("half", "tensor", 2),
    ("net", "tensor", 3),
    ("pictures", "fsdp", 2),
    ("scan", "fsdp", 2),
    ("net", "compiled", 2),
    ("llama", "fsdp", 3),
]
SLOW = [
    *[("net", way, n) for way in ("fsdp", "tensor", "both", "hybrid") for n in (4, 8)],
    ("half", "both", 4),
    ("net", "offloaded", 3),
    ("pictures", "fsdp", 8),
    ("llama", "fsdp", 2),
    ("llama", "fsdp", 8),
]


def on_meta(model):
    with torch.device("meta"):
        return MODELS[model]()


def tables(model, *, is_whole=False):
    """Give each parameter under each of its names: what is here, or all of it."""
    held = named_parameters(model)
    whole = {path: t.detach() if is_whole else local_of(t) for path, t in held.items()}
    return {path: tensor.detach().clone() for path, tensor in whole.items()}


def spread_and_drawn(model, way, n, whole):
    """Draw on this process; give the names whose part is not that of the whole."""
    warnings.simplefilter("ignore")
    net = WAYS[way].spread(on_meta(model), n)
    plan = fanin.init(net, seed=SEED)
    here = tables(net)
    expected = {path: WAYS[way].held(path, whole[path], n) for path in here}
    differs = [p for p in here if not torch.equal(here[p], expected[p])]
    missing = sorted(set(whole) - set(here))
    buffers = [name for name, buffer in net.named_buffers() if buffer.is_meta]
    return [*differs, *missing, *buffers], plan.to_json(), sum(map(len, here.values()))


@pytest.mark.parametrize(
    ("model", "way", "n"),
    [*EVERYDAY, *[pytest.param(*case, marks=pytest.mark.slow) for case in SLOW]],
)
def test_each_process_draws_its_own_part_of_the_same_numbers(model, way, n, tmp_path):
    alone = on_meta(model)
    plan = fanin.init(alone, seed=SEED)
    found = on_world(
        spread_and_drawn, n, tmp_path, model, way, n, tables(alone, is_whole=True)
    )

    assert [differs for differs, _, _ in found] == [[]] * n
    assert {json for _, json, _ in found} == {plan.to_json()}
    assert sum(rows for _, _, rows in found) > 0


BATCHES = {
    "net": lambda generator: torch.randn(16, 6, generator=generator),
    "pictures": lambda generator: torch.randn(16, 3, 8, 8, generator=generator),
    "llama": lambda generator: torch.randint(0, 37, (4, 8), generator=generator),
}


def batch_of(model, seed=1):
    return BATCHES[model](torch.Generator().manual_seed(seed))


def in_memory(model, way, n):
    torch.manual_seed(5)
    net = MODELS[model]()
    if way == "data parallel" and n > 0:
        return torch.nn.parallel.DistributedDataParallel(net)
    return net if n == 0 else WAYS[way].spread(net, n)


def whole_life(model, way, n):
    """Plan, draw, calibrate, check and train a model; give what is to be the same."""
    warnings.simplefilter("ignore")
    net = in_memory(model, way, n)
    batch = batch_of(model)
    plan = fanin.init(net, seed=SEED).to_json()
    calibrated = fanin.init(net, batch, seed=SEED).to_json()
    report = fanin.check(net, batch)
    findings = [(f.code, f.where, f.measured) for f in report.findings]
    output = net(batch)
    getattr(output, "logits", output).square().mean().backward()
    fanin.init(net, batch, seed=SEED)  # after a pass that put the weights together
    numbers = fanin.frameworks.torch.read(net)
    return plan, calibrated, findings, numbers


@pytest.mark.parametrize(
    ("model", "way", "n"),
    [
        ("net", "fsdp", 2),
        ("net", "data parallel", 2),
        pytest.param("net", "tensor", 2, marks=pytest.mark.slow),
        pytest.param("net", "fsdp", 3, marks=pytest.mark.slow),
        pytest.param("net", "both", 4, marks=pytest.mark.slow),
        pytest.param("net", "both", 8, marks=pytest.mark.slow),
        pytest.param("pictures", "fsdp", 2, marks=pytest.mark.slow),
        pytest.param("llama", "fsdp", 2, marks=pytest.mark.slow),
    ],
)
def test_a_spread_model_lives_the_life_of_one_that_is_alone(model, way, n, tmp_path):
    alone = whole_life(model, way, 0)
    found = on_world(whole_life, n, tmp_path, model, way, n)

    assert [each[:3] for each in found] == [alone[:3]] * n
    for *_, numbers in found:
        assert numbers.keys() == alone[3].keys()
        assert all(np.array_equal(numbers[p], alone[3][p]) for p in numbers)


def saved_read_and_watched(folder):
    """Save a spread model, read another's numbers back, watch a step; say what came."""
    warnings.simplefilter("ignore")
    n, rank = torch.distributed.get_world_size(), torch.distributed.get_rank()
    net = WAYS["fsdp"].spread(MODELS["llama"](), n)
    plan = fanin.init(net, seed=SEED)
    framework = fanin.frameworks.torch
    file = framework.save(net, folder / f"{rank}.safetensors")
    fanin.init(net, seed=SEED + 1)
    framework.load_weights(net, file)
    is_plans = bool(fanin.verify(net, plan))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    batch = batch_of("llama")
    with fanin.watch(net, optimizer) as trace:
        net(batch, labels=batch).loss.backward()
        optimizer.step()
    return is_plans, file.read_bytes(), (trace.n_steps, trace._remarks)


@pytest.mark.slow
def test_a_spread_model_is_saved_whole_and_read_back_in_parts(tmp_path):
    alone = MODELS["llama"]()
    fanin.init(alone, seed=SEED)
    found = on_world(saved_read_and_watched, 2, tmp_path, tmp_path)
    copy = MODELS["llama"]()
    (tmp_path / "copy.safetensors").write_bytes(found[1][1])
    fanin.frameworks.torch.load_weights(copy, tmp_path / "copy.safetensors")

    assert all(is_plans for is_plans, _, _ in found)
    assert [watched for *_, watched in found] == [(1, [])] * 2
    assert found[0][1] == found[1][1]
    here, there = tables(copy), tables(alone)
    assert all(torch.equal(here[path], there[path]) for path in there)


def asked_for_a_seed():
    """Give the seed that is taken where every process's generator stands elsewhere."""
    rank = torch.distributed.get_rank()
    net = WAYS["fsdp"].spread(on_meta("net"), torch.distributed.get_world_size())
    torch.manual_seed(100 + rank)
    return fanin.init(net).seed


def test_without_a_seed_all_take_that_of_the_first_process(tmp_path):
    torch.manual_seed(100)
    alone = fanin.init(on_meta("net")).seed
    found = on_world(asked_for_a_seed, 2, tmp_path)

    assert found == [alone] * 2


def given_batches(seeds):
    """Say how a plan ends where each process brings its own batch."""
    rank, n = torch.distributed.get_rank(), torch.distributed.get_world_size()
    net = WAYS["fsdp"].spread(MODELS["net"](), n)
    try:
        fanin.plan(net, batch_of("net", seeds[rank]), seed=SEED)
    except fanin.FaninError as error:
        return f"{type(error).__name__}: {error}"
    return "planned"


@pytest.mark.parametrize(
    ("seeds", "says"),
    [((1, 1), "planned"), ((1, 2), "BatchError: The processes that share")],
    ids=["one", "several"],
)
def test_processes_that_bring_different_batches_are_all_refused(seeds, says, tmp_path):
    found = on_world(given_batches, 2, tmp_path, seeds)

    assert all(said.startswith(says) for said in found)


def flattened(strategy, *, keeps_names):
    """Say what fanin says of a model under FullyShardedDataParallel."""
    from torch.distributed.fsdp import FullyShardedDataParallel, ShardingStrategy

    warnings.simplefilter("ignore")
    net = FullyShardedDataParallel(
        MODELS["net"](),
        use_orig_params=keeps_names,
        device_id=torch.device("cpu"),
        sharding_strategy=ShardingStrategy[strategy],
    )
    try:
        fanin.init(net, seed=SEED)
    except fanin.FaninError as error:
        return str(error)
    return "drawn"


def flattened_in_turn():
    cases = [("FULL_SHARD", True), ("FULL_SHARD", False), ("NO_SHARD", False)]
    found = [flattened(strategy, keeps_names=kept) for strategy, kept in cases]
    return found, flattened("NO_SHARD", keeps_names=True)


@pytest.mark.slow
def test_parameters_that_were_laid_in_one_row_are_refused(tmp_path):
    for refused, drawn in on_world(flattened_in_turn, 2, tmp_path):
        assert all("Use fully_shard" in said for said in refused)
        assert drawn == "drawn"


def both_ways():
    """Give rank and findings of a weight drawn by PyTorch's recipe, and by fanin."""
    warnings.simplefilter("ignore")
    results = []
    for make in (as_documented, with_fanin):
        layer = make(torch.distributed.get_world_size())
        whole = layer.weight.full_tensor().detach()
        found = fanin.check(layer, select=["FAN810"]).findings
        rank = int(torch.linalg.matrix_rank(whole))
        results.append((rank, [finding.code for finding in found]))
    return results


def test_the_documented_recipe_draws_copies_and_fanin_does_not(tmp_path):
    found = on_world(both_ways, 2, tmp_path)

    assert found == [[(32, ["FAN810"]), (64, [])]] * 2
