"""The chart kit: SVG written by hand, with no dependency and no script.

Every chart is ``role="img"`` with a title and a description, takes its colours from
CSS variables (so light and dark need no second drawing), and tells its series apart by
dash, marker and a label at the line's end as well as by colour.
"""

from fanin.report.svg.axes import Frame as Frame
from fanin.report.svg.bars import Bar as Bar
from fanin.report.svg.bars import bar_chart as bar_chart
from fanin.report.svg.heat_map import heat_map as heat_map
from fanin.report.svg.histograms import Histogram as Histogram
from fanin.report.svg.histograms import histogram_grid as histogram_grid
from fanin.report.svg.intervals import interval_picture as interval_picture
from fanin.report.svg.lines import Line as Line
from fanin.report.svg.lines import line_chart as line_chart
from fanin.report.svg.multiples import small_histogram as small_histogram
from fanin.report.svg.ribbon import Cell as Cell
from fanin.report.svg.strip import Stage as Stage
from fanin.report.svg.strip import network_strip as network_strip
from fanin.report.svg.style import STYLES as STYLES
from fanin.report.svg.style import Style as Style
from fanin.report.svg.style import key as key
from fanin.report.svg.style import standalone as standalone
from fanin.report.svg.style import style_of as style_of
from fanin.report.svg.unit_picture import UnitRow as UnitRow
from fanin.report.svg.unit_picture import unit_picture as unit_picture
