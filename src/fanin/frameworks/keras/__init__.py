"""Keras 3 on the torch, the JAX and the TensorFlow backend."""

from typing import Final

from fanin.frameworks.keras.calibrate import calibrate as calibrate
from fanin.frameworks.keras.construction import construct as construct
from fanin.frameworks.keras.example import input_signatures as input_signatures
from fanin.frameworks.keras.files import load_weights as load_weights
from fanin.frameworks.keras.files import require_format as require_format
from fanin.frameworks.keras.files import save as save
from fanin.frameworks.keras.gradients import gradients as gradients
from fanin.frameworks.keras.groups import groups as groups
from fanin.frameworks.keras.holders import holders as holders
from fanin.frameworks.keras.initializers import (
    shared_initializers as shared_initializers,
)
from fanin.frameworks.keras.measure import measure as measure
from fanin.frameworks.keras.optimizer import optimizer_facts as optimizer_facts
from fanin.frameworks.keras.parameters import buffers as buffers
from fanin.frameworks.keras.parameters import owns as owns
from fanin.frameworks.keras.parameters import parameters as parameters
from fanin.frameworks.keras.parameters import read as read
from fanin.frameworks.keras.parameters import seed as seed
from fanin.frameworks.keras.parameters import write as write
from fanin.frameworks.keras.record import record as record
from fanin.frameworks.keras.spread import holdings as holdings
from fanin.frameworks.keras.views import view as view
from fanin.frameworks.program import rehearse as rehearse

NAME: Final = "keras"
