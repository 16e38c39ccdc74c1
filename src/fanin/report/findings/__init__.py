"""A check's report as text and as HTML, and the page of each rule."""

from fanin.report.findings.as_concise import concise as concise
from fanin.report.findings.as_html import html as html
from fanin.report.findings.as_html import page_of as page_of
from fanin.report.findings.as_text import full as full
from fanin.report.findings.format import Format as Format
from fanin.report.findings.format import Look as Look
from fanin.report.findings.formats import FORMATS as FORMATS
from fanin.report.findings.formats import of_suffix as of_suffix
from fanin.report.findings.rule_page import rule_list as rule_list
from fanin.report.findings.rule_page import rule_page as rule_page
