from __future__ import annotations

import fnmatch
import inspect
import re

import pytest

from fanin.frameworks.keras.holders import holders
from fanin.places import Origin, callers, places_of
from tests.unit.places import keras_nets

MARK = re.compile(r"# builds: (\S+)$")


def marks(*parts):
    found = []
    for part in parts:
        lines, first = inspect.getsourcelines(part)
        for number, line in enumerate(lines, first):
            if match := MARK.search(line.rstrip()):
                found.append((number, match[1]))
    return found


CASES = [
    (keras_nets.subclassed, *mark) for mark in marks(keras_nets.Net, keras_nets.Own)
]
CASES += [
    (make, *mark)
    for make in (keras_nets.sequential, keras_nets.functional)
    for mark in marks(make)
]


@pytest.mark.parametrize(
    ("make", "line", "layer"), CASES, ids=lambda value: getattr(value, "__name__", None)
)
def test_the_line_that_built_a_keras_layer_is_found(make, line, layer):
    model = make()
    places = places_of(model, holders, (Origin(function=make),))

    paths = [p for p in holders(model) if fnmatch.fnmatch(p, f"*{layer}/*")]
    paths = paths or [p for p in holders(model) if p.endswith(f"/{layer}")]
    assert paths
    assert {(places.of(p).line, places.of(p).kind) for p in paths} == {
        (line, "constructs")
    }


def test_a_functional_model_is_found_through_the_call_that_built_it():
    model = keras_nets.functional()
    found = places_of(model, holders, callers())
    told = places_of(model, holders, (Origin(function=keras_nets.functional),))

    assert found.of("dense/kernel") is not None
    assert {p: found.of(p) for p in holders(model)} == {
        p: told.of(p) for p in holders(model)
    }


def test_a_model_that_is_not_built_has_no_places():
    assert holders(keras_nets.Net()) == {}
