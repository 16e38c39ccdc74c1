"""Which backend Keras starts on, where nobody has chosen one that is there."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path

USABLE = ("torch", "jax", "tensorflow")


def choose_backend() -> str | None:
    """Set KERAS_BACKEND to one that is installed if Keras could not start otherwise.

    Keras's own default is TensorFlow, whether or not it is installed. A choice of the
    user's, by the variable or by keras.json, is kept if that backend is installed; and
    nothing is done once Keras is imported.

    Returns:
        The backend chosen here, None if the choice was left as it is.
    """
    if "keras" in sys.modules or "KERAS_BACKEND" in os.environ:
        return None
    if _is_installed(_configured()):
        return None
    chosen = next((name for name in USABLE if _is_installed(name)), None)
    if chosen is not None:
        os.environ["KERAS_BACKEND"] = chosen
    return chosen


def _configured() -> str:
    """Give the backend of keras.json, Keras's default if there is none to read."""
    home = os.environ.get("KERAS_HOME")
    folder = Path(home) if home else Path.home() / ".keras"
    try:
        text = (folder / "keras.json").read_text(encoding="utf-8")
        return str(json.loads(text).get("backend", "tensorflow"))
    except (OSError, ValueError, AttributeError):
        return "tensorflow"


def _is_installed(name: str) -> bool:
    return importlib.util.find_spec(name) is not None
