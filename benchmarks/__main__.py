"""Run the benchmarks, or list them.

python -m benchmarks                  all of them, one after the other
python -m benchmarks --list           their names, and what each one measures
python -m benchmarks sampler -h       one of them, with its own options
python -m benchmarks._page [NAME …]   write what they print into docs/benchmarks.md
"""

from __future__ import annotations

import ast
import runpy
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def summaries() -> dict[str, str]:
    """Give the first line of every benchmark's docstring, by name.

    A benchmark is a file, or a package with a ``__main__``.
    """
    found = {}
    runs = [main.with_name("__init__.py") for main in FOLDER.glob("*/__main__.py")]
    for path in (*FOLDER.glob("[!_]*.py"), *runs):
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        name = path.parent.name if path in runs else path.stem
        found[name] = text.partition("\n")[0]
    return dict(sorted(found.items()))


def run(name: str, options: list[str]) -> None:
    """Run one benchmark as if it had been called by itself."""
    sys.argv = [f"benchmarks.{name}", *options]
    runpy.run_module(f"benchmarks.{name}", run_name="__main__")


def main(arguments: list[str]) -> int:
    """Do what the arguments say; the exit code is 2 for a name that is unknown."""
    known = summaries()
    if arguments in (["-h"], ["--help"]):
        print(__doc__)
    elif arguments == ["--list"]:
        for name, summary in known.items():
            print(f"{name:12} {summary}")
    elif not arguments:
        for name in known:
            print(f"── {name} ──", flush=True)
            run(name, [])
    elif arguments[0] in known:
        run(arguments[0], arguments[1:])
    else:
        print(f"There is no benchmark {arguments[0]!r}. Known: {', '.join(known)}.")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
