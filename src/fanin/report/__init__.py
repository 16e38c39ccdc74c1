"""Reports: every result as text, JSON, Markdown, LaTeX, HTML, SVG."""
