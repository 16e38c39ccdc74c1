from __future__ import annotations

import fnmatch
import functools
import re
from pathlib import Path

import pytest
import torch

from fanin.frameworks.torch.holders import holders
from fanin.places import Origin, callers, places_of
from tests.unit.places import torch_nets

FILE = Path(torch_nets.__file__)
MARK = re.compile(r"# builds: (\w+) (\S+)$")
MARKS = [
    (number, match[1], match[2])
    for number, line in enumerate(FILE.read_text(encoding="utf-8").splitlines(), 1)
    if (match := MARK.search(line))
]


def built(name):
    kind = getattr(torch_nets, name)
    return kind(), () if isinstance(kind, type) else (Origin(function=kind),)


@pytest.mark.parametrize(("line", "net", "layer"), MARKS, ids=str)
def test_the_line_that_built_a_layer_is_found(line, net, layer):
    model, origins = built(net)
    places = places_of(model, holders, origins)

    paths = [p for p in holders(model) if fnmatch.fnmatch(p, f"{layer}*")]
    found = {p: places.of(p) for p in paths}
    assert paths
    assert {(p, place.line, place.kind) for p, place in found.items() if place} == {
        (p, line, "constructs") for p in paths
    }


def test_a_place_holds_the_text_of_its_line_and_a_relative_path():
    place = places_of(torch_nets.Plain(), holders).of("first.weight")

    assert place.text.startswith("self.first = nn.Linear(4, 4)")
    assert not Path(place.file).is_absolute()


def test_a_layer_is_found_by_its_own_path():
    places = places_of(torch_nets.Lists(), holders)

    assert places.of("plain.1") == places.of("plain.1.weight")


def test_a_net_is_found_where_the_caller_built_it():
    net = torch.nn.Sequential(
        torch.nn.Linear(3, 3),
        torch.nn.Linear(3, 3),
    )
    places = places_of(net, holders, callers())

    first, second = places.of("0.weight"), places.of("1.weight")
    assert second.line == first.line + 1
    assert first.text == "torch.nn.Linear(3, 3),"


def test_a_net_is_found_in_the_function_that_the_caller_called():
    net = torch_nets.make()

    assert places_of(net, holders, callers()).of("2.weight").file.endswith("nets.py")


def test_a_factory_is_seen_through_a_partial():
    origin = Origin(function=functools.partial(torch_nets.make))

    assert places_of(torch_nets.make(), holders, (origin,)).of("2.weight")


def test_library_code_is_said_to_define_a_layer():
    layer = torch.nn.TransformerEncoderLayer(8, 2, 8)
    place = places_of(layer, holders).of("linear1.weight")

    assert (place.kind, "self.linear1" in place.text) == ("defines", True)


def test_no_place_is_given_where_there_is_no_code():
    namespace = {"nn": torch.nn}
    exec(  # no file holds this class
        "class Net(nn.Module):\n"
        "  def __init__(self):\n"
        "    super().__init__()\n"
        "    self.fc = nn.Linear(2, 2)\n",
        namespace,
    )

    assert places_of(namespace["Net"](), holders).of("fc.weight") is None


def test_looking_for_places_runs_no_property_of_the_model():
    class Trap(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = torch.nn.Linear(2, 2)

        @property
        def anything(self):
            raise AssertionError

    assert places_of(Trap(), holders).of("fc.weight").text.startswith("self.fc")
