"""Constants are followed on the meta device: their numbers, views and writings."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from fanin.frameworks._aten.known import MOST_KNOWN, Known
from fanin.frameworks._aten.literals import Literals


class Following(TorchDispatchMode):
    """Runs every operation through a Known."""

    def __init__(self):
        super().__init__()
        self.known = Known()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return self.known.run(func, args, kwargs or {})


def followed(run):
    mode = Following()
    with Literals(), mode:
        result = run()
    return mode.known.numbers(result)


def causal():
    places = torch.arange(3, device="meta")
    return places[:, None] >= places[None, :]


def written_in_part():
    table = torch.zeros(2, 2, device="meta")
    table[:, 0] = 7.0
    return table


def seen_through_a_view():
    table = torch.zeros(2, 2, device="meta")
    row = table[1]
    table.fill_(5.0)
    return row


def from_literals():
    return torch.tensor([4, 2], device="meta").sort().values


def indexed_by_a_list():
    return torch.arange(6, device="meta").view(2, 3)[:, [-1, 0]]


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (causal, [[1, 0, 0], [1, 1, 0], [1, 1, 1]]),
        (written_in_part, [[7, 0], [7, 0]]),
        (seen_through_a_view, [5, 5]),
        (from_literals, [2, 4]),
        (indexed_by_a_list, [[2, 0], [5, 3]]),
        (lambda: torch.arange(4, device="meta").nonzero()[:, 0], [1, 2, 3]),
    ],
    ids=["comparison", "part", "view", "literal", "list index", "nonzero"],
)
def test_numbers_made_of_constants_are_known(run, expected):
    found = followed(run)

    assert found.to(torch.int64).tolist() == expected


def test_a_model_that_asks_for_a_known_number_is_answered():
    mode = Following()
    with mode:
        answer = bool((torch.arange(4, device="meta") < 4).all())

    assert answer is True


def test_what_is_written_from_unknown_numbers_is_forgotten_in_every_view():
    def run():
        table = torch.zeros(2, 2, device="meta")
        row = table[1]
        table[0].copy_(torch.empty(2, device="meta"))
        return row

    assert followed(run) is None


def test_random_numbers_are_not_known():
    assert followed(lambda: torch.rand(3, device="meta")) is None


def test_a_large_constant_is_not_followed():
    assert followed(lambda: torch.zeros(MOST_KNOWN + 1, device="meta")) is None


def test_a_tensor_on_the_cpu_meets_one_on_the_meta_device():
    def run():
        return torch.empty(2, 3, device="meta") + torch.ones(2, 3, device="cpu")

    mode = Following()
    with mode:
        result = run()

    assert result.is_meta
    assert tuple(result.shape) == (2, 3)


def test_an_error_of_the_operation_is_the_users():
    mode = Following()

    with pytest.raises(RuntimeError, match="reduction dim"), mode:
        torch.empty(2, 3, device="meta") @ torch.empty(2, 3, device="meta")
