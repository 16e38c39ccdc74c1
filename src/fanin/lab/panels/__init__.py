"""The lab's figures, from frames to HTML: the chart kit of the reports, no script."""
