"""JAX: modules of Flax NNX and of Equinox, and pairs of a function and parameters."""

from typing import Final

from fanin.frameworks.jax.agreeing import agreed as agreed
from fanin.frameworks.jax.agreeing import shares_batch as shares_batch
from fanin.frameworks.jax.calibrate import calibrate as calibrate
from fanin.frameworks.jax.construction import construct as construct
from fanin.frameworks.jax.example import input_signatures as input_signatures
from fanin.frameworks.jax.files import load_weights as load_weights
from fanin.frameworks.jax.files import require_format as require_format
from fanin.frameworks.jax.files import save as save
from fanin.frameworks.jax.gradients import gradients as gradients
from fanin.frameworks.jax.groups import groups as groups
from fanin.frameworks.jax.holders import holders as holders
from fanin.frameworks.jax.measure import measure as measure
from fanin.frameworks.jax.opening import is_immutable as is_immutable
from fanin.frameworks.jax.opening import owns as owns
from fanin.frameworks.jax.optimizer import optimizer_facts as optimizer_facts
from fanin.frameworks.jax.parameters import buffers as buffers
from fanin.frameworks.jax.parameters import holdings as holdings
from fanin.frameworks.jax.parameters import parameters as parameters
from fanin.frameworks.jax.parameters import read as read
from fanin.frameworks.jax.parameters import seed as seed
from fanin.frameworks.jax.parameters import write as write
from fanin.frameworks.jax.record import record as record
from fanin.frameworks.jax.views import view as view
from fanin.frameworks.program import rehearse as rehearse

NAME: Final = "jax"
