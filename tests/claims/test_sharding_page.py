"""What docs/sharding.md shows of PyTorch's recipe is what its script prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parent.parent.parent
BLOCK = re.compile(r"<!-- python (\S+) -->\n(.*?)<!-- end -->", re.DOTALL)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes meet over a file")
def test_the_script_prints_what_the_page_shows():
    page = (ROOT / "docs" / "sharding.md").read_text(encoding="utf-8")
    ((script, shown),) = BLOCK.findall(page)
    done = subprocess.run(
        [sys.executable, script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert done.stdout.strip() == dedent(shown).strip(), done.stderr
