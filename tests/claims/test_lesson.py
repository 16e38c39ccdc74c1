"""The lesson for learners: every example on the page gives what the page prints."""

import doctest
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "lesson.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples():
    """One doctest of all blocks in order; they share their names."""
    text = PAGE.read_text(encoding="utf-8")
    blocks = "\n\n".join(BLOCK.findall(text))
    return doctest.DocTestParser().get_doctest(blocks, {}, "lesson.md", str(PAGE), 0)


def failures_of(test):
    report = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=report.append, clear_globs=False)
    return runner.summarize(verbose=False), "".join(report)


def test_every_example_of_the_lesson_gives_what_is_printed():
    result, report = failures_of(examples())

    assert result.attempted > 20
    assert not result.failed, report


@pytest.mark.parametrize("mark", ["✓", "✗"])
def test_a_wrong_verdict_on_the_page_would_be_found(mark):
    test = examples()
    first = next(e for e in test.examples if e.want.startswith("✓ W1, b1 and W2"))
    other = "✗" if mark == "✓" else "✓"
    first.want = first.want.replace(mark, other, 1)
    test.examples = test.examples[: test.examples.index(first) + 1]

    assert failures_of(test)[0].failed == 1


def test_the_lesson_answers_the_learners_question():
    text = PAGE.read_text(encoding="utf-8")

    assert "Is it because the loss is the same for y = 0 and y = 1?** No." in text
