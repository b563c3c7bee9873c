"""A notebook's questions: a wrong answer is told, an unanswered one is not given away."""

from course.lesson import check, compare


def test_a_right_prediction_is_marked() -> None:
    verdict = compare({"layers": 2}, {"layers": 2})

    assert verdict.complete
    assert "✓ layers: 2" in str(verdict)


def test_true_is_not_one() -> None:
    assert not check({"layer": True}, {"layer": 1}).complete


def test_an_unanswered_question_does_not_give_the_answer_away() -> None:
    verdict = compare({"layers": None}, {"layers": 2})

    assert str(verdict) == "Prediction: 0 of 1\n  · layers: ?"
    assert "2" not in verdict._repr_html_().replace("0 / 1", "")


def test_an_answer_cannot_bring_markup_into_the_page() -> None:
    assert "<script>" not in check({"<script>": "<script>"}, {"<script>": 1})._repr_html_()
