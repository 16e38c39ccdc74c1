"""docs/sampler.md is enough: a sampler made from it alone gives the golden vectors."""

import ast
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from fanin.graph import AxisRoles
from fanin.sampler import Law, draw

GOLDEN = json.loads(
    (Path(__file__).parents[2] / "golden" / "sampler.json").read_text(encoding="utf-8")
)
PATH = Path(__file__).parent / "plain_integers.py"


@pytest.fixture(scope="module")
def plain():
    spec = importlib.util.spec_from_file_location("plain_integers", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def label(entry):
    numbers = "-".join(f"{name}={value}" for name, value in entry["law"].items())
    return f"{numbers}-{entry.get('dtype', entry.get('shape'))}"


def test_it_shares_no_code_with_the_sampler():
    tree = ast.parse(PATH.read_text(encoding="utf-8"))
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert not any(name.startswith("fanin") for name in imported)


@pytest.mark.parametrize("entry", GOLDEN["keys"], ids=lambda e: e["key"])
def test_keys_follow_from_the_page(plain, entry):
    key = plain.key(entry["name"], int(entry["seed"]), int(entry["stream"]))

    assert f"{key:016x}" == entry["key"]


@pytest.mark.parametrize(
    "entry", GOLDEN["words"], ids=lambda e: f"{e['key']}-{e['plane']}"
)
def test_words_follow_from_the_page(plain, entry):
    key = int(entry["key"], 16)
    words = [plain.word(key, int(i), entry["plane"]) for i in entry["index"]]

    assert [f"{word:08x}" for word in words] == entry["words"]


@pytest.mark.parametrize("entry", GOLDEN["numbers"], ids=label)
def test_numbers_follow_from_the_page(plain, entry):
    of = GOLDEN["numbers_of"]
    key = plain.key(of["name"], of["seed"])
    numbers = [
        plain.number(key, int(i), entry["law"], entry["dtype"]) for i in of["index"]
    ]

    assert [number.hex() for number in numbers] == entry["values"]


@pytest.mark.parametrize("entry", GOLDEN["constants"], ids=label)
def test_constants_follow_from_the_page(plain, entry):
    law = Law(**entry["law"])
    drawn = draw("w", (1,), law, seed=0, dtype=entry["dtype"])

    assert [plain.number(0, 0, entry["law"], entry["dtype"]).hex()] == entry["values"]
    assert [float(drawn[0]).hex()] == entry["values"]


def axis_roles(roles):
    """Read roles as a recorder writes them."""
    if roles is None:
        return None
    return AxisRoles(
        outputs=tuple(roles["outputs"]),
        inputs=tuple(roles["inputs"]),
        kernel=tuple(roles["kernel"]),
        groups=roles.get("groups", 1),
        is_transposed=roles.get("is_by_input", False),
    )


@pytest.mark.parametrize("entry", GOLDEN["matrices"], ids=label)
def test_matrices_follow_from_the_page_up_to_rounding(plain, entry):
    of = GOLDEN["orthogonal_of"]
    shape, roles, law = entry["shape"], entry["roles"], entry["law"]
    key = plain.key(of["name"], of["seed"])
    by_the_page = plain.matrix_weight(key, shape, law, roles)

    assert by_the_page == pytest.approx(entry["values"], rel=0, abs=1e-13)


@pytest.mark.parametrize(
    ("dtype", "error"), [("float64", 1e-13), ("float32", 5e-7), ("bfloat16", 2**-8)]
)
@pytest.mark.parametrize("entry", GOLDEN["matrices"], ids=label)
def test_matrices_are_what_they_were_up_to_rounding(entry, dtype, error):
    of = GOLDEN["orthogonal_of"]
    law = Law(**entry["law"], roles=axis_roles(entry["roles"]))
    weight = draw(of["name"], entry["shape"], law, seed=of["seed"], dtype=dtype)
    difference = np.abs(weight.astype(np.float64).ravel() - entry["values"])

    assert difference.max() < error * law.factor


def test_a_table_that_is_off_by_one_would_be_found(plain, monkeypatch):
    """The golden numbers reach so many segments that a wrong one shows."""
    of = GOLDEN["numbers_of"]
    key = plain.key(of["name"], of["seed"])
    entry = next(e for e in GOLDEN["numbers"] if e["dtype"] == "float32")
    monkeypatch.setattr(plain, "BASE", [base + 64 for base in plain.BASE])
    numbers = [plain.number(key, int(i), entry["law"], "float32") for i in of["index"]]

    assert [number.hex() for number in numbers] != entry["values"]
