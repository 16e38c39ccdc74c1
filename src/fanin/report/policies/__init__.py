"""The policies in the terminal: the table of all, and the page of one."""

from fanin.report.policies.as_json import policies_json as policies_json
from fanin.report.policies.as_text import policy_page as policy_page
from fanin.report.policies.as_text import policy_table as policy_table
