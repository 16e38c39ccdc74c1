"""A second build is watched: what nobody writes, who writes what, and nothing moves."""

from __future__ import annotations

import copy
import inspect
import random

import numpy as np
import pytest
import torch
from torch import nn

from fanin.errors import ModelError
from fanin.frameworks.torch.construction import construct
from fanin.graph.construction import Writer, Written

GLOBAL = np.random
HERE = __file__.rpartition("/")[2]


def line_of(owner, text):
    """Give "file.py:line" of the line of a class or function that holds a text."""
    lines, first = inspect.getsourcelines(owner)
    return f"{HERE}:{first + next(i for i, line in enumerate(lines) if text in line)}"


class Adapter(nn.Module):
    def __init__(self):
        super().__init__()
        self.base = nn.Linear(4, 4)
        self.down = nn.Parameter(torch.empty(2, 4))
        self.up = nn.Parameter(torch.zeros(4, 2))
        nn.init.normal_(self.down)


def test_memory_that_nobody_wrote_is_named():
    def make():
        model = Adapter()
        model.table = nn.Parameter(torch.empty(3, 3))
        return model

    assert construct(make).never_written == ("table",)


def test_unwritten_memory_is_seen_even_where_it_holds_zeros():
    # Freed zeros are handed out again by the allocator, so that nothing looks wrong.
    zeros = torch.zeros(64, 64)
    del zeros

    found = construct(lambda: nn.ParameterList([torch.empty(64, 64)]))

    assert found.never_written == ("0",)


def test_memory_that_is_half_written_is_named():
    def make():
        model = nn.ParameterList([torch.empty(4, 4)])
        nn.init.zeros_(model[0][:2])
        return model

    assert construct(make).never_written == ("0",)


def test_a_layer_of_the_framework_is_the_author_of_its_start():
    (write,) = construct(lambda: nn.Linear(3, 2)).writes["weight"]

    assert write.by is Writer.LAYER
    assert write.kind is Written.DRAWN
    assert write.call == "Linear.__init__"
    assert write.where.startswith(f"{HERE}:") or f"/{HERE}:" in write.where


def test_an_init_function_is_looked_through_to_the_line_that_calls_it():
    (write,) = construct(Adapter).writes["down"]

    assert write.call == "normal_"
    assert write.by is Writer.USER
    assert write.where.endswith(line_of(Adapter, "nn.init.normal_"))


def test_memory_that_is_born_with_numbers_is_told_from_memory_filled_later():
    writes = construct(Adapter).writes

    assert [w.is_birth for w in writes["up"]] == [True]
    assert [w.is_birth for w in writes["down"]] == [False]
    assert writes["up"][0].kind is Written.CONSTANT


def test_a_second_write_keeps_the_size_that_the_first_left():
    def make():
        model = nn.Linear(64, 64, bias=False)
        nn.init.constant_(model.weight, 3.0)
        nn.init.zeros_(model.weight)
        return model

    first, second, third = construct(make).writes["weight"]

    assert first.size == pytest.approx(1 / (3 * 64) ** 0.5, rel=0.05)
    assert (second.size, third.size) == (3.0, 0.0)


def test_one_line_that_fills_part_by_part_wrote_once():
    def make():
        model = nn.ParameterList([torch.empty(4, 3, 3)])
        for part in model[0]:
            nn.init.orthogonal_(part)
        return model

    found = construct(make)

    assert len(found.writes["0"]) == 1
    assert not found.never_written


def test_a_loaded_state_is_told_from_a_start():
    def make():
        model = nn.Linear(3, 2)
        model.load_state_dict(nn.Linear(3, 2).state_dict())
        return model

    assert construct(make).writes["weight"][-1].kind is Written.LOADED


def test_a_copied_layer_was_written_by_who_copied_it():
    def make():
        first = nn.Linear(3, 2)
        return nn.ModuleList([first, copy.deepcopy(first)])

    (write,) = construct(make).writes["1.weight"]

    assert HERE in write.where
    assert write.kind is Written.COMPUTED


def test_what_a_factory_only_hands_out_has_no_history():
    ready = nn.Linear(3, 2)

    found = construct(lambda: ready)

    assert not found.writes
    assert not found.never_written


def test_a_shape_without_memory_is_not_called_unwritten():
    assert not construct(lambda: nn.Linear(3, 2, device="meta")).never_written


def streams():
    return (
        torch.get_rng_state().numpy().tobytes(),
        random.getstate(),
        GLOBAL.get_state()[1].tobytes(),
    )


def switches():
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,
    )


def drawing():
    random.random()
    GLOBAL.rand()
    return nn.Linear(3, 2)


def failing():
    drawing()
    message = "no data"
    raise OSError(message)


def test_no_random_stream_and_no_switch_moves():
    before = streams(), switches()

    construct(drawing)

    assert (streams(), switches()) == before


def test_nothing_moves_where_the_factory_raises():
    before = streams(), switches()

    with pytest.raises(ModelError, match="no data"):
        construct(failing)

    assert (streams(), switches()) == before


def test_the_second_build_draws_what_the_first_one_will():
    seen = []

    def make():
        seen.append(nn.Linear(3, 2))
        return seen[-1]

    construct(make)
    make()

    assert torch.equal(seen[0].weight, seen[1].weight)


def test_a_factory_must_give_a_module():
    with pytest.raises(ModelError, match="gave a int"):
        construct(lambda: 3)
