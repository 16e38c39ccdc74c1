"""Keras 3 on the torch and the JAX backend."""

from fanin.frameworks.keras.initializers import (
    shared_initializers as shared_initializers,
)
from fanin.frameworks.keras.parameters import buffers as buffers
from fanin.frameworks.keras.parameters import owns as owns
from fanin.frameworks.keras.parameters import parameters as parameters
from fanin.frameworks.keras.parameters import read as read
from fanin.frameworks.keras.parameters import seed as seed
from fanin.frameworks.keras.parameters import write as write

NAME = "keras"
