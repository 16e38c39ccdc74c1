"""Theory: moments propagated through a Graph, and mean field theory of deep nets."""

from fanin.theory.correlations import CorrelationMap as CorrelationMap
from fanin.theory.correlations import correlation_map as correlation_map
from fanin.theory.edge import EdgePoint as EdgePoint
from fanin.theory.edge import edge_at as edge_at
from fanin.theory.edge import edge_line as edge_line
from fanin.theory.edge import edge_of_chaos as edge_of_chaos
from fanin.theory.fixed_points import FixedPoint as FixedPoint
from fanin.theory.fixed_points import Stability as Stability
from fanin.theory.fixed_points import fixed_points as fixed_points
from fanin.theory.fixed_points import settles_at as settles_at
from fanin.theory.mean_field import MeanField as MeanField
from fanin.theory.mean_field import depth_scale as depth_scale
from fanin.theory.moments import Moments as Moments
from fanin.theory.prediction import Prediction as Prediction
from fanin.theory.prediction import predict as predict
