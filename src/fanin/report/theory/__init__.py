"""Mean field theory of one activation as text, Markdown, LaTeX, JSON and a page."""

from fanin.report.theory.lesson import TheoryLesson as TheoryLesson
