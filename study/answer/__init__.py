"""The answer of a study, in numbers and in two honest sentences.

Only COMPLETE trials of role `design` count: what an adaptive sampler found is no sample of anything. The trial is the
unit of every interval; replicates are only counted in pairs.
"""

from study.answer.model import Answer, AnswerVerdict, Effect, Rank, Reading, Tracking, Verdict
from study.answer.question import answer

__all__ = ["Answer", "AnswerVerdict", "Effect", "Rank", "Reading", "Tracking", "Verdict", "answer"]
