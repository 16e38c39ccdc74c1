"""What every test run is given: a backend for Keras, and steady Hypothesis examples."""

from __future__ import annotations

import os
import signal

# Keras picks its backend when it is imported, and would take TensorFlow by default.
os.environ.setdefault("KERAS_BACKEND", "torch")

from hypothesis import settings

# A shell that starts a job in the background lets it ignore Ctrl-C, which tests send.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The everyday run takes the same examples each time, so that a failure is a change's
# own; `make test-all` takes new ones.
settings.register_profile("steady", derandomize=True)
settings.register_profile("searching")
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
