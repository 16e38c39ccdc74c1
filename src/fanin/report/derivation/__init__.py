"""A derivation as terminal text, Markdown, LaTeX, HTML with MathML, and JSON."""

from fanin.report.derivation.lesson import Lesson as Lesson
from fanin.report.derivation.lesson import lesson as lesson
