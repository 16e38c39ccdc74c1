"""The lab: a page on this machine to see initial weights, change them and run them.

The pages are views (`views/`), found by listing; each gives routes of plain records
(`seam`), so that only `server` knows a web framework. `engine` holds the nets of the
lab, in NumPy alone; `panels` draws what they do with the chart kit of the reports.
"""

from fanin.lab.guest import Guest as Guest
