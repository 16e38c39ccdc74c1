"""Theory: moments propagated through a Graph, and mean field theory of deep nets."""

from fanin.theory.fixed_points import FixedPoint as FixedPoint
from fanin.theory.fixed_points import edge_of_chaos as edge_of_chaos
from fanin.theory.fixed_points import fixed_points as fixed_points
from fanin.theory.mean_field import MeanField as MeanField
from fanin.theory.moments import Moments as Moments
from fanin.theory.prediction import Prediction as Prediction
from fanin.theory.prediction import predict as predict
