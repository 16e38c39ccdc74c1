"""Keras starts on a backend that is there, and the user's own choice is kept."""

from __future__ import annotations

import importlib.util
import os
import sys

import pytest

from fanin.frameworks.backend import choose_backend


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """A process in which nobody has chosen, with these packages installed."""
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_BACKEND", "to be restored")
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def install(*names):
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: name if name in names else None
        )
        return tmp_path / "keras.json"

    return install


@pytest.mark.parametrize(
    ("installed", "chosen"),
    [
        (("torch", "jax"), "torch"),
        (("jax",), "jax"),
        (("tensorflow",), None),
        (("tensorflow", "torch"), None),
        ((), None),
    ],
)
def test_the_default_is_replaced_only_if_it_is_not_installed(fresh, installed, chosen):
    fresh(*installed)

    assert choose_backend() == chosen
    assert os.environ.get("KERAS_BACKEND") == chosen


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ('{"backend": "jax"}', None),
        ('{"backend": "tensorflow"}', "torch"),
        ("not json", "torch"),
        ("[]", "torch"),
    ],
)
def test_a_choice_in_the_configuration_is_kept_if_it_is_there(fresh, text, chosen):
    fresh("torch", "jax").write_text(text)

    assert choose_backend() == chosen


def test_a_choice_in_the_environment_is_kept(fresh, monkeypatch):
    fresh("torch")
    monkeypatch.setenv("KERAS_BACKEND", "jax")

    assert choose_backend() is None
    assert os.environ["KERAS_BACKEND"] == "jax"


def test_nothing_is_done_once_keras_is_imported(fresh, monkeypatch):
    fresh("torch")
    monkeypatch.setitem(sys.modules, "keras", object())

    assert choose_backend() is None
    assert "KERAS_BACKEND" not in os.environ
