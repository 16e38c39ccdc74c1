"""Keras picks its backend when it is imported, and would take TensorFlow by default."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "torch")
