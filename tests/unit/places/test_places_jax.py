from __future__ import annotations

import fnmatch
import re
from pathlib import Path

import jax
import pytest

from fanin.frameworks.jax.holders import holders
from fanin.places import places_of
from tests.unit.places import jax_nets

MARK = re.compile(r"# builds: (\w+) (\S+)$")
LINES = Path(jax_nets.__file__).read_text(encoding="utf-8").splitlines()
MARKS = [
    (number, match[1], match[2])
    for number, line in enumerate(LINES, 1)
    if (match := MARK.search(line))
]


@pytest.mark.parametrize(("line", "net", "layer"), MARKS, ids=str)
def test_the_line_that_built_a_jax_layer_is_found(line, net, layer):
    model = jax_nets.make(net)
    places = places_of(model, holders)

    paths = [p for p in holders(model) if fnmatch.fnmatch(p, f"{layer}*")]
    assert paths
    assert {(places.of(p).line, places.of(p).kind) for p in paths} == {
        (line, "constructs")
    }


def test_a_pair_has_steps_through_its_tree():
    pair = (lambda params, x: x @ params["w"], {"w": jax.numpy.ones((2, 2))})

    assert [step.key for step in holders(pair)["w"]] == ["w"]
    assert places_of(pair, holders).of("w") is None
