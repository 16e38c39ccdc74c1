import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from fanin.sampler import Law, draw
from fanin.sampler.key import FORMAT_VERSION, key_of
from fanin.sampler.philox import words_at

PATH = Path(__file__).parents[2] / "golden" / "sampler.json"
GOLDEN = json.loads(PATH.read_text(encoding="utf-8"))


def label(entry):
    numbers = "-".join(f"{name}={value}" for name, value in entry["law"].items())
    return f"{numbers}-{entry['dtype']}"


def test_the_vectors_are_of_this_version():
    assert GOLDEN["format_version"] == FORMAT_VERSION


@pytest.mark.parametrize("entry", GOLDEN["keys"], ids=lambda e: e["key"])
def test_a_key_is_what_it_was(entry):
    key = key_of(entry["name"], seed=int(entry["seed"]), stream=int(entry["stream"]))

    assert f"{key:016x}" == entry["key"]


@pytest.mark.parametrize(
    "entry", GOLDEN["words"], ids=lambda e: f"{e['key']}-{e['plane']}"
)
def test_words_are_what_they_were(entry):
    index = np.array([int(i) for i in entry["index"]], dtype=np.uint64)
    words = words_at(int(entry["key"], 16), index, plane=entry["plane"])

    assert [f"{int(word):08x}" for word in words] == entry["words"]


@pytest.mark.parametrize("entry", GOLDEN["numbers"], ids=label)
def test_numbers_are_what_they_were(entry):
    of = GOLDEN["numbers_of"]
    index = [int(i) for i in of["index"]]
    law = Law(**entry["law"])
    numbers = draw(
        of["name"], (2**63,), law, seed=of["seed"], dtype=entry["dtype"], index=index
    )

    assert [float(number).hex() for number in numbers] == entry["values"]


@pytest.mark.parametrize("entry", GOLDEN["digests"], ids=label)
def test_whole_arrays_are_what_they_were(entry):
    of = GOLDEN["numbers_of"]
    whole = draw(
        of["name"],
        entry["shape"],
        Law(**entry["law"]),
        seed=of["seed"],
        dtype=entry["dtype"],
    )
    little_endian = whole.astype(whole.dtype.newbyteorder("<")).tobytes()

    assert hashlib.sha256(little_endian).hexdigest() == entry["sha256"]


@pytest.mark.parametrize("entry", GOLDEN["orthogonal"], ids=lambda e: str(e["shape"]))
def test_orthogonal_matrices_are_what_they_were_up_to_rounding(entry):
    of = GOLDEN["orthogonal_of"]
    law = Law("orthogonal", gain=entry["gain"])
    weight = draw(of["name"], entry["shape"], law, seed=of["seed"], dtype="float64")

    assert weight.ravel() == pytest.approx(entry["values"], rel=0, abs=1e-12)
