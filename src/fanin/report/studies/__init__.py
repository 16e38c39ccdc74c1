"""What a study showed, for people: text, JSON, one page."""

from fanin.report.studies.results import DepthResult as DepthResult
from fanin.report.studies.results import WidthResult as WidthResult
