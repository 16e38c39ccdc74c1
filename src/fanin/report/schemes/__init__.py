"""The schemes in the terminal: the table of all, and the page of one."""

from fanin.report.schemes.as_json import schemes_json as schemes_json
from fanin.report.schemes.as_svg import density_chart as density_chart
from fanin.report.schemes.as_text import scheme_page as scheme_page
from fanin.report.schemes.as_text import scheme_table as scheme_table
