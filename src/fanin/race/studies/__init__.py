"""Studies: a race over one factor, laid beside what theory says of that factor."""

from fanin.race.studies.depth import DepthMap as DepthMap
from fanin.race.studies.depth import DepthStudy as DepthStudy
from fanin.race.studies.depth import run_depths as run_depths
from fanin.race.studies.reach import Reach as Reach
from fanin.race.studies.reach import reach_of as reach_of
from fanin.race.studies.width import USUAL as USUAL
from fanin.race.studies.width import Widths as Widths
from fanin.race.studies.width import WidthStudy as WidthStudy
