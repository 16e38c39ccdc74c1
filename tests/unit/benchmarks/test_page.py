"""The page of benchmarks is what the commands print."""

import pytest

from benchmarks import _page as page
from benchmarks.__main__ import summaries


def test_a_block_is_replaced_by_what_its_command_prints(tmp_path, monkeypatch):
    text = "before\n<!-- python -m benchmarks one --x -->\nold\n<!-- end -->\nafter\n"
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(page, "PAGE", path)
    monkeypatch.setattr(page, "printed", lambda words: f"printed by {words}")
    assert page.refresh([]) == ["one --x"]
    found = path.read_text(encoding="utf-8")
    assert "old" not in found
    assert "printed by one --x" in found
    assert found.startswith("before\n")
    assert found.endswith("<!-- end -->\nafter\n")


def test_only_the_named_benchmarks_are_run(tmp_path, monkeypatch):
    block = "<!-- python -m benchmarks {} -->\nold\n<!-- end -->\n"
    path = tmp_path / "page.md"
    path.write_text(block.format("one") + block.format("two"), encoding="utf-8")
    monkeypatch.setattr(page, "PAGE", path)
    monkeypatch.setattr(page, "printed", lambda words: "new")
    assert page.refresh(["two"]) == ["two"]
    assert path.read_text(encoding="utf-8").count("old") == 1


def test_what_a_file_holds_is_put_into_the_block_of_its_command(tmp_path, monkeypatch):
    block = "<!-- python -m benchmarks {} -->\nold\n<!-- end -->\n"
    path, file = tmp_path / "page.md", tmp_path / "out.md"
    path.write_text(block.format("one --x 1") + block.format("one"), encoding="utf-8")
    file.write_text("| printed |\n\n", encoding="utf-8")
    monkeypatch.setattr(page, "PAGE", path)
    page.main(["--printed", str(file), "one --x 1"])
    found = path.read_text(encoding="utf-8")
    assert "one --x 1 -->\n\n| printed |\n\n<!-- end" in found
    assert found.count("old") == 1
    with pytest.raises(ValueError, match="0 blocks"):
        page.main(["--printed", str(file), "two"])


def test_every_block_of_the_page_names_a_benchmark():
    found = page.BLOCK.finditer(page.PAGE.read_text(encoding="utf-8"))
    names = [match["words"].split()[0] for match in found]
    assert names
    assert set(names) <= set(summaries())
