"""A check's report as text and as HTML, and the page of each rule."""

from fanin.report.findings.as_html import html as html
from fanin.report.findings.as_html import page_of as page_of
from fanin.report.findings.as_text import concise as concise
from fanin.report.findings.as_text import full as full
from fanin.report.findings.rule_page import rule_list as rule_list
from fanin.report.findings.rule_page import rule_page as rule_page
