"""Puts what the benchmarks print into docs/benchmarks.md.

Run: ``python -m benchmarks._page [NAME ...]``; all commands of the page, if none. What
a long command has printed into a file already, ``--printed FILE COMMAND`` puts there:
``python -m benchmarks._page --printed out.md "plain --depths 10 --markdown"``.

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
        put(words, printed(words))
        done.append(words)
    return done


def put(words: str, text: str) -> None:
    """Replace what stands in the block of a command.

    Raises:
        ValueError: if the page has no such block.
    """
    page = PAGE.read_text(encoding="utf-8")
    blocks = [block for block in BLOCK.finditer(page) if block["words"] == words]
    if len(blocks) != 1:
        problem = f"{PAGE.name} has {len(blocks)} blocks of {words!r}; wanted: 1."
        raise ValueError(problem)
    new = f"{blocks[0]['mark']}\n{text.strip()}\n\n{blocks[0]['end']}"
    PAGE.write_text(page.replace(blocks[0][0], new), encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    if arguments[:1] == ["--printed"]:
        file, words = arguments[1:]
        put(words, Path(file).read_text(encoding="utf-8"))
        print(f"written: {words}")
        return
    for words in refresh(arguments):
        print(f"written: {words}")


if __name__ == "__main__":
    main(sys.argv[1:])
