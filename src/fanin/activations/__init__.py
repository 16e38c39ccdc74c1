"""Activations: scalar functions and their moments under a Gaussian."""

from fanin.activations.activation import Activation as Activation
from fanin.activations.gated import GATES as GATES
from fanin.activations.gated import Gate as Gate
from fanin.activations.gated import Nonlinearity as Nonlinearity
from fanin.activations.gated import find_nonlinearity as find_nonlinearity
from fanin.activations.identify import identify as identify
from fanin.activations.moments import ActivationMoments as ActivationMoments
from fanin.activations.table import ACTIVATIONS as ACTIVATIONS
from fanin.activations.table import find_activation as find_activation
