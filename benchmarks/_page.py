"""Puts what the benchmarks print into docs/benchmarks.md.

Run: ``python -m benchmarks._page [NAME ...]``; all commands of the page, if none.

The page holds blocks that begin with ``<!-- python -m benchmarks NAME … -->`` and end
with ``<!-- end -->``: the command is run, and what it prints replaces what is between.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
BLOCK = re.compile(
    r"(?P<mark><!-- python -m benchmarks (?P<words>[^>]+?) -->\n)"
    r"(?P<old>.*?)"
    r"(?P<end><!-- end -->)",
    re.DOTALL,
)


def printed(words: str) -> str:
    """Run one benchmark in a process of its own and give what it prints.

    Raises:
        CalledProcessError: if it fails; its own error has been printed.
    """
    command = [sys.executable, "-m", "benchmarks", *shlex.split(words)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def refresh(names: list[str]) -> list[str]:
    """Run the page's commands of these benchmarks, all if none is named.

    The page is written after each, so that a long run that is stopped keeps its work.
    """
    done = []
    for block in list(BLOCK.finditer(PAGE.read_text(encoding="utf-8"))):
        words = block["words"]
        if names and words.split()[0] not in names:
            continue
        new = f"{block['mark']}\n{printed(words)}\n\n{block['end']}"
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(text.replace(block[0], new), encoding="utf-8")
        done.append(words)
    return done


if __name__ == "__main__":
    for words in refresh(sys.argv[1:]):
        print(f"written: {words}")
