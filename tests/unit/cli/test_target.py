from __future__ import annotations

from pathlib import Path

import pytest

from fanin.cli.targets.error import TargetError
from fanin.cli.targets.python_object import Target, load, parse
from fanin.errors import ModelError

NETS = Path(__file__).parent / "nets.py"


def test_module_attribute_and_literal_arguments_are_read():
    assert parse("pkg.nets:Models.make(3, width=256, names=['a'])") == Target(
        module="pkg.nets",
        attributes=("Models", "make"),
        arguments=(3,),
        keywords=(("width", 256), ("names", ["a"])),
        is_call=True,
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("nets", "there is no 'module:attribute' in it"),
        ("nets:", "there is no 'module:attribute' in it"),
        (":make", "there is no 'module:attribute' in it"),
        ("nets:make(", "is not Python"),
        ("nets:make(width=WIDE)", "arguments must be literals"),
        ("nets:[1]", "is not a name"),
    ],
)
def test_a_target_that_cannot_be_read_says_what_is_wrong_and_the_grammar(text, what):
    with pytest.raises(TargetError, match=what) as caught:
        parse(text)

    assert "Write pkg.module:attribute" in str(caught.value)


def test_a_factory_in_a_file_is_called_with_its_arguments():
    net = load(f"{NETS}:make(width=5)")

    assert net[0].out_features == 5


def test_an_attribute_of_a_class_is_found():
    assert load(f"{NETS}:Holder.net")[0].in_features == 8


def test_a_wrong_attribute_names_the_nearest():
    with pytest.raises(TargetError, match=r"has no 'maek'. Did you mean 'make'\?"):
        load(f"{NETS}:maek")


def test_a_missing_file_is_a_usage_error():
    with pytest.raises(TargetError, match=r"there is no file 'nowhere.py'"):
        load("nowhere.py:net")


def test_a_missing_module_is_a_usage_error():
    with pytest.raises(
        TargetError, match=r"there is no module 'no_such_package\.nets'"
    ):
        load("no_such_package.nets:make")


def test_a_factory_that_raises_is_a_model_error_with_its_cause():
    with pytest.raises(ModelError, match="no such dataset") as caught:
        load(f"{NETS}:broken()")

    assert isinstance(caught.value.__cause__, RuntimeError)


def test_a_module_that_raises_on_import_is_a_model_error(tmp_path):
    (tmp_path / "faulty_module.py").write_text("1 / 0")
    with pytest.raises(ModelError, match="ZeroDivisionError"):
        load(f"{tmp_path / 'faulty_module.py'}:net")


def test_what_cannot_be_called_is_refused():
    with pytest.raises(TargetError, match="it is a str, which cannot be called"):
        load(f"{NETS}:Holder.__name__()")
