"""The Graph: what ran, as frozen data with no framework in it."""

from fanin.graph.fans import AxisRoles as AxisRoles
from fanin.graph.fans import Fan as Fan
from fanin.graph.graph import Graph as Graph
from fanin.graph.graph import Node as Node
from fanin.graph.graph import Op as Op
from fanin.graph.graph import Parameter as Parameter
from fanin.graph.graph import Weight as Weight
from fanin.graph.measurement import Measurement as Measurement
from fanin.graph.measurement import SiteStatistics as SiteStatistics
from fanin.graph.task import Task as Task
