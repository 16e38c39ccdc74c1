"""The demo as text and as one page."""

from fanin.report.demo.demo import Demo as Demo
from fanin.report.demo.patient import Patient as Patient
