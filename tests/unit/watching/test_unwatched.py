"""A watched loop gives, bit for bit, what an unwatched one gives."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch

import fanin

N_STEPS = 6


def net():
    generator = torch.Generator().manual_seed(5)
    model = torch.nn.Sequential(
        torch.nn.Linear(6, 16),
        torch.nn.BatchNorm1d(16),
        torch.nn.GELU(),
        torch.nn.Dropout(0.2),
        torch.nn.Linear(16, 3),
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.1)
    return model


def batches():
    generator = torch.Generator().manual_seed(9)
    for _ in range(N_STEPS):
        yield (
            torch.randn((8, 6), generator=generator),
            torch.randint(3, (8,), generator=generator),
        )


def plain(model, optimizer, tell):
    for x, y in batches():
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        yield tell(loss)


def accumulating(model, optimizer, tell):
    for number, (x, y) in enumerate(batches()):
        loss = torch.nn.functional.cross_entropy(model(x), y) / 2
        loss.backward()
        if number % 2:
            optimizer.step()
            optimizer.zero_grad()
        yield tell(loss)


def scaled(model, optimizer, tell):
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    for x, y in batches():
        optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = torch.nn.functional.cross_entropy(model(x), y)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        scaler.step(optimizer)
        scaler.update()
        yield tell(loss)


def with_closure(model, optimizer, tell):
    for x, y in batches():

        def closure(x=x, y=y):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            return loss

        yield tell(optimizer.step(closure))


def run(loop, *, is_watched, wrap=None, make=torch.optim.AdamW, **words):
    torch.manual_seed(11)  # of dropout
    model = net()
    trained = model if wrap is None else wrap(model)
    optimizer = make(trained.parameters(), lr=0.01)
    watching = fanin.watch(trained, optimizer, **words) if is_watched else nullcontext()
    with watching as w:
        tell = (lambda loss: loss) if w is None else w.loss
        losses = [float(loss.detach()) for loss in loop(trained, optimizer, tell)]
    state = {
        **{name: value.clone() for name, value in model.state_dict().items()},
        "random": torch.get_rng_state(),
    }
    return losses, state, w


def assert_same(one, other):
    assert one[0] == other[0]
    assert one[1].keys() == other[1].keys()
    assert [n for n in one[1] if not torch.equal(one[1][n], other[1][n])] == []


@pytest.mark.parametrize("steps", [50, 3])
@pytest.mark.parametrize(
    ("loop", "n_steps"),
    [(plain, 6), (accumulating, 3), (scaled, 6), (with_closure, 6)],
    ids=["plain", "accumulating", "scaled", "closure"],
)
def test_a_watched_loop_is_the_same_to_the_last_bit(loop, n_steps, steps):
    watched = run(loop, is_watched=True, steps=steps)

    assert_same(run(loop, is_watched=False), watched)
    assert watched[2].n_steps == min(n_steps, steps)


@pytest.mark.parametrize(
    "make",
    [
        lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9, foreach=True),
        lambda p, lr: torch.optim.AdamW(p, lr=lr, fused=True),
        lambda p, lr: torch.optim.LBFGS(p, lr=lr, max_iter=2),
    ],
    ids=["foreach", "fused", "lbfgs"],
)
def test_every_kind_of_optimizer_is_left_alone(make):
    watched = run(with_closure, is_watched=True, make=make)

    assert_same(run(with_closure, is_watched=False, make=make), watched)
    assert watched[2].n_steps == N_STEPS


def test_a_check_at_entry_changes_nothing_either():
    x, y = next(batches())
    words = {"batch": x, "loss": "cross_entropy", "target": y}

    assert_same(run(plain, is_watched=False), run(plain, is_watched=True, **words))


class Graphs:
    """A backend that counts the graphs that it is given and runs them as they are."""

    def __init__(self):
        self.count = 0

    def __call__(self, graph, inputs):
        self.count += 1
        return graph.forward


@pytest.mark.parametrize("is_own", [False, True], ids=["torch.compile", ".compile()"])
def test_a_compiled_model_is_compiled_as_often_and_gives_the_same(is_own):
    def compiled(model):
        torch._dynamo.reset()
        if is_own:
            model.compile(backend=graphs)
            return model
        return torch.compile(model, backend=graphs)

    graphs = Graphs()
    alone = run(plain, is_watched=False, wrap=compiled)
    n_alone = graphs.count
    watched = run(plain, is_watched=True, wrap=compiled)

    assert_same(alone, watched)
    assert graphs.count == 2 * n_alone
    assert watched[2].trace.sites == ()
    assert watched[2].n_steps == N_STEPS


def test_a_step_that_is_compiled_as_a_whole_is_left_alone():
    def compiled(model, optimizer, tell):
        torch._dynamo.reset()

        @torch.compile(backend=graphs)
        def loss_of(x, y):
            return torch.nn.functional.cross_entropy(model(x), y)

        for x, y in batches():
            optimizer.zero_grad()
            loss = loss_of(x, y)
            loss.backward()
            optimizer.step()
            yield tell(loss)

    graphs = Graphs()
    alone = run(compiled, is_watched=False)
    n_alone = graphs.count
    watched = run(compiled, is_watched=True)

    assert_same(alone, watched)
    assert graphs.count == 2 * n_alone


def test_a_data_parallel_model_is_the_same_and_named_as_the_bare_one(tmp_path):
    def parallel(model):
        return torch.nn.parallel.DistributedDataParallel(model)

    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1
    )
    try:
        alone = run(plain, is_watched=False, wrap=parallel)
        watched = run(plain, is_watched=True, wrap=parallel)
    finally:
        torch.distributed.destroy_process_group()

    assert_same(alone, watched)
    assert watched[2].trace.paths == tuple(dict(net().named_parameters()))
    assert watched[2].n_steps == N_STEPS


def hooks_of(model):
    from torch.optim import optimizer

    own = [h for m in model.modules() for h in m._forward_hooks]
    around = (
        optimizer._global_optimizer_pre_hooks,
        optimizer._global_optimizer_post_hooks,
    )
    return own + [hook for hooks in around for hook in hooks]


def test_no_hook_is_left_after_a_loop_that_raises():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loop():
        with fanin.watch(model, optimizer):
            assert len(hooks_of(model)) == 7
            model(next(batches())[0]).sum().backward()
            optimizer.step()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop()

    assert hooks_of(model) == []


def test_no_hook_is_left_once_enough_steps_were_seen():
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with fanin.watch(model, optimizer, steps=1):
        model(next(batches())[0]).sum().backward()
        optimizer.step()

        assert hooks_of(model) == []


def test_no_hook_is_left_where_the_model_cannot_be_watched():
    model = net()
    model.register_parameter("lazy", torch.nn.Parameter(torch.zeros(2)))
    bad = torch.full((8, 6), float("nan"))

    with (
        pytest.raises(fanin.FaninError, match="NaN"),
        fanin.watch(model, batch=bad),
    ):
        pass

    assert hooks_of(model) == []


def test_a_fault_in_a_hook_ends_the_watching_and_not_the_loop(monkeypatch):
    from fanin.frameworks.torch import watching

    def broken(*_, **__):
        raise RuntimeError("no such device")

    monkeypatch.setattr(watching, "spread_of", broken)
    watched = run(plain, is_watched=True)

    assert_same(run(plain, is_watched=False), watched)
    assert "RuntimeError: no such device" in str(watched[2].report)
    assert watched[2].report.verdict == "not checked"
