from __future__ import annotations

import subprocess
import sys

import pytest

FRAMEWORKS = ("torch", "keras", "lightning", "pytorch_lightning", "transformers")


def output_of(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_room_of_callbacks_loads_no_framework():
    code = (
        "import sys, fanin; dir(fanin.callbacks); "
        f"print([m for m in {FRAMEWORKS!r} if m in sys.modules])"
    )

    assert output_of(code) == "[]"


@pytest.mark.parametrize(
    ("name", "packages", "extra"),
    [
        ("LightningCallback", ("lightning", "pytorch_lightning"), "lightning"),
        ("KerasCallback", ("keras",), "keras"),
        ("HFCallback", ("transformers",), "trainer"),
    ],
)
def test_a_framework_that_is_not_installed_is_named(name, packages, extra):
    code = f"""
import importlib.util, sys
import fanin.callbacks

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages!r}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name in {packages!r} else find(name)
try:
    fanin.callbacks.{name}
except fanin.FaninError as error:
    print(error)
"""

    assert f"pip install 'fanin[{extra}]'" in output_of(code)


def test_a_callback_that_does_not_exist_is_no_attribute():
    import fanin

    with pytest.raises(AttributeError, match="FastaiCallback"):
        fanin.callbacks.FastaiCallback  # noqa: B018
