"""The page on check: every example and every command gives what the page prints."""

import doctest
import os
import re
from pathlib import Path

import pytest

from fanin.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "check.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^```python (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = [
    part.partition("\n")
    for block in CONSOLE.findall(TEXT)
    for part in re.split(r"^\$ fanin ", block, flags=re.MULTILINE)[1:]
]


def test_every_example_of_the_page_gives_what_is_printed():
    blocks = "\n\n".join(b for b in BLOCK.findall(TEXT) if ">>>" in b)
    test = doctest.DocTestParser().get_doctest(blocks, {}, "check.md", str(PAGE), 0)
    report = []
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    runner = doctest.DocTestRunner(verbose=False, optionflags=flags)
    runner.run(test, out=report.append)
    result = runner.summarize(verbose=False)

    assert result.attempted > 20
    assert not result.failed, "".join(report)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("check_page")
    for name, code in FILE.findall(TEXT):
        (path / name).write_text(code)
    return path


def test_every_command_of_the_page_prints_what_is_shown(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "88")
    wrong = {}
    for words, _, shown in COMMANDS:
        main(words.split())
        printed = capsys.readouterr().out.rstrip()
        if printed != shown.rstrip():
            wrong[words] = (
                f"{printed}{os.linesep}--- on the page ---{os.linesep}{shown}"
            )

    assert len(COMMANDS) >= 5
    assert not wrong, "\n\n".join(wrong.values())


def test_every_setting_of_the_page_is_one():
    import tomllib

    from fanin.config import settings_of

    (table,) = re.findall(r"^```toml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    settings = settings_of(tomllib.loads(table)["tool"]["fanin"])

    assert settings.fail_on == "error"
    assert settings.per_param_ignores == {"head.*": ("FAN501",)}
