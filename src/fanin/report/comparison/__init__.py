"""A comparison as text, Markdown, JSON and one HTML page."""

from fanin.report.comparison.comparison import Comparison as Comparison
