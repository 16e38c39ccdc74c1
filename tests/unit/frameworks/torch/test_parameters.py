"""Reading and writing the parameters of a torch module."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from fanin.errors import (
    ArgumentError,
    ModelError,
    NoStorageError,
    ShapeError,
    UnknownParameterError,
)
from fanin.frameworks import torch as framework


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(7, 3)
        self.head = nn.Linear(3, 7, bias=False)
        self.head.weight = self.table.weight


def zeros_like(tensor: torch.Tensor):
    return lambda _: np.zeros(tuple(tensor.shape))


def state_of(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def is_same(model: nn.Module, state: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(t, state[name]) for name, t in model.state_dict().items())


def test_a_tied_weight_is_listed_once_with_its_other_name():
    (found,) = framework.parameters(Tied())

    assert (found.path, found.aliases) == ("table.weight", ("head.weight",))


def test_two_parameter_objects_over_one_storage_are_tied():
    first, second = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
    second.weight = nn.Parameter(first.weight.detach())

    (found,) = framework.parameters(nn.Sequential(first, second))

    assert found.aliases == ("1.weight",)


def test_slices_of_one_storage_are_not_tied():
    whole = torch.zeros(8)
    net = nn.ParameterList([nn.Parameter(whole[:4]), nn.Parameter(whole[4:])])

    assert [p.path for p in framework.parameters(net)] == ["0", "1"]


def test_storage_says_meta_and_lazy():
    net = nn.Sequential(nn.Linear(2, 2, device="meta"), nn.LazyLinear(3))

    found = {p.path: (p.storage, p.shape) for p in framework.parameters(net)}

    assert found == {
        "0.weight": ("meta", (2, 2)),
        "0.bias": ("meta", (2,)),
        "1.weight": ("lazy", ()),
        "1.bias": ("lazy", ()),
    }


def test_a_frozen_parameter_and_a_half_precision_one_say_so():
    net = nn.Linear(2, 2).to(torch.bfloat16)
    net.bias.requires_grad_(requires_grad=False)

    weight, bias = framework.parameters(net)

    assert (weight.dtype, weight.is_trainable, bias.is_trainable) == (
        "bfloat16",
        True,
        False,
    )


def test_the_owner_of_a_parametrized_weight_is_the_layer():
    net = nn.Sequential(torch.nn.utils.parametrizations.weight_norm(nn.Linear(2, 3)))

    found = {p.path: p.owner for p in framework.parameters(net)}

    assert found["0.parametrizations.weight.original0"] == "Linear"


@pytest.mark.parametrize("kind", ["meta", "lazy"])
def test_reading_what_has_no_memory_is_refused(kind):
    net = nn.Linear(2, 2, device="meta") if kind == "meta" else nn.LazyLinear(2)

    with pytest.raises(NoStorageError, match=kind):
        framework.read(net)


def test_read_gives_copies():
    net = nn.Linear(2, 2)
    framework.read(net)["weight"][:] = 7.0

    assert not (net.weight == 7.0).any()


def test_bfloat16_is_read_without_loss():
    net = nn.Linear(2, 2).to(torch.bfloat16)

    read = framework.read(net)["weight"]

    assert torch.equal(torch.from_numpy(read).to(torch.bfloat16), net.weight)


@pytest.mark.parametrize(
    ("dtype", "bits"), [(torch.float16, 10), (torch.bfloat16, 7)], ids=str
)
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("nudge", [2.0**-40, 0.0, -(2.0**-40)])
def test_write_rounds_once_to_the_parameters_own_type(dtype, bits, sign, nudge):
    net = nn.Linear(1, 1, bias=False).to(dtype)
    middle = 1.0 + 2.0 ** -(bits + 1)  # between 1 and its neighbour; even is 1
    value = sign * (middle + nudge)  # which float32 cannot tell from the middle

    framework.write(net, {"weight": lambda _: np.array([[value]])})

    expected = sign * (1.0 + 2.0**-bits if nudge > 0 else 1.0)
    assert net.weight.item() == expected


@pytest.mark.parametrize("value", [0.0, np.inf, -np.inf, 1e300, 1e-300])
def test_the_ends_of_the_range_are_written_as_ieee_has_it(value):
    net = nn.Linear(1, 1, bias=False).to(torch.float16)
    framework.write(net, {"weight": lambda _: np.array([[value]])})

    with np.errstate(over="ignore"):
        assert net.weight.item() == np.float16(value)


def test_a_tied_weight_answers_to_its_alias():
    net = Tied()
    framework.write(net, {"head.weight": lambda _: np.full((7, 3), 2.0)})

    assert (net.table.weight == 2.0).all()


def test_both_names_of_a_tied_weight_are_refused():
    net = Tied()
    draws = dict.fromkeys(["table.weight", "head.weight"], zeros_like(net.head.weight))

    with pytest.raises(ArgumentError, match="tied"):
        framework.write(net, draws)


def test_an_unknown_path_names_the_nearest_and_changes_nothing():
    net = nn.Linear(3, 2)
    before = state_of(net)
    draws = {"bias": zeros_like(net.bias), "wieght": zeros_like(net.weight)}

    with pytest.raises(UnknownParameterError, match="Did you mean 'weight'"):
        framework.write(net, draws)
    assert is_same(net, before)


def test_an_array_of_the_wrong_shape_changes_nothing():
    net = nn.Linear(3, 2)
    before = state_of(net)
    draws = {"bias": zeros_like(net.bias), "weight": lambda _: np.zeros((3, 2))}

    with pytest.raises(ShapeError, match=r"\(2, 3\).*\(3, 2\)"):
        framework.write(net, draws)
    assert is_same(net, before)


def test_a_draw_that_raises_changes_nothing():
    net = nn.Linear(3, 2)
    before = state_of(net)

    with pytest.raises(ZeroDivisionError):
        framework.write(
            net, {"weight": zeros_like(net.weight), "bias": lambda _: 1 / 0}
        )
    assert is_same(net, before)


def test_a_parameter_that_refuses_gives_the_others_their_numbers_back():
    net = nn.Sequential(nn.Linear(3, 2, bias=False), nn.Linear(2, 1, bias=False))
    # An expanded tensor cannot be copied into: several entries share one number.
    net[1].weight = nn.Parameter(torch.ones(1, 1).expand(1, 2))
    before = state_of(net)
    draws = {path: zeros_like(t) for path, t in net.named_parameters()}

    with pytest.raises(ModelError, match=r"1\.weight"):
        framework.write(net, draws)
    assert is_same(net, before)


def test_writing_onto_meta_is_refused():
    net = nn.Linear(2, 2, device="meta")

    with pytest.raises(NoStorageError, match="meta device"):
        framework.write(net, {"bias": zeros_like(net.bias)})


def test_weight_norm_is_written_through_its_originals():
    net = torch.nn.utils.parametrizations.weight_norm(nn.Linear(2, 1, bias=False))
    framework.write(
        net,
        {
            "parametrizations.weight.original0": lambda _: np.array([[10.0]]),
            "parametrizations.weight.original1": lambda _: np.array([[3.0, 4.0]]),
        },
    )

    assert torch.allclose(net.weight, torch.tensor([[6.0, 8.0]]))


def test_the_seed_follows_manual_seed_and_moves_on():
    torch.manual_seed(3)
    seeds = [framework.seed(nn.Linear(1, 1)) for _ in range(3)]
    torch.manual_seed(3)

    assert framework.seed(nn.Linear(1, 1)) == seeds[0]
    assert len(set(seeds)) == 3
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_the_seed_uses_all_63_bits():
    torch.manual_seed(0)
    seen = 0
    for _ in range(200):
        seen |= framework.seed(nn.Linear(1, 1))

    assert seen == 2**63 - 1


def test_buffers_are_not_parameters():
    net = nn.BatchNorm1d(3)

    assert set(framework.buffers(net)) == {
        "running_mean",
        "running_var",
        "num_batches_tracked",
    }


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("is_inside", [False, True])
def test_a_scripted_model_is_refused(is_inside):
    scripted = torch.jit.trace(nn.Linear(2, 2), torch.ones(1, 2))
    net = nn.Sequential(scripted) if is_inside else scripted

    with pytest.raises(ModelError, match="TorchScript"):
        framework.parameters(net)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiled_model_is_read_as_the_model_inside():
    net = torch.compile(nn.Linear(2, 2))

    assert [p.path for p in framework.parameters(net)] == ["weight", "bias"]
