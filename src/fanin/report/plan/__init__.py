"""A plan as HTML: a fragment for notebooks, and a page of its own."""

from fanin.report.plan.as_html import body as body
from fanin.report.plan.as_html import html as html
from fanin.report.plan.as_html import page_of as page_of
