"""Predict: a question and its choices, before anything is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.report.page import Section, inline

if TYPE_CHECKING:
    from fanin.lab.lessons.lesson import Question


def predicting(question: Question, answer: int) -> Section:
    """Ask. Without JavaScript the answer is folded away under the choices.

    Args:
        question: what is asked.
        answer: the place of the right choice, from 0.
    """
    items = "".join(
        f'<li><label><input type="radio" name="answer" value="{number}"> '
        f"<span>{inline(choice.text)}</span></label></li>"
        for number, choice in enumerate(question.choices)
    )
    right = inline(question.choices[answer].text)
    body = (
        f'<form class="predict" data-answer="{answer}"><fieldset><legend>'
        f"{inline(question.text)}</legend><ul>{items}</ul></fieldset>"
        '<p class="verdict" role="status" data-verdict></p>'
        '<button type="button" class="quiet-button" data-skip>Show me</button>'
        f'<details class="no-script"><summary>The answer</summary><p>{right}</p>'
        "</details></form>"
    )
    return Section(title="Predict", body=body)
