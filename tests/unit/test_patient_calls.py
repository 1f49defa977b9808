"""A question to a Ray that is gone is left, not waited for."""

import threading

import pytest

from study.execution.on_ray.patient_calls import call_patiently


def test_an_answer_is_returned_and_an_error_raised() -> None:
    assert call_patiently(lambda: 3, lambda: False, 0) == 3
    with pytest.raises(ZeroDivisionError):
        call_patiently(lambda: 1 // 0, lambda: False, 0)


def test_a_question_that_nobody_waits_for_is_left() -> None:
    over, never = threading.Event(), threading.Event()

    def silent() -> int:
        over.set()
        never.wait()
        return 3

    assert call_patiently(silent, over.is_set, 0) == 0
    never.set()


def test_nothing_is_asked_once_it_is_over() -> None:
    calls: list[int] = []
    assert call_patiently(lambda: calls.append(1), lambda: True, None) is None
    assert calls == []
