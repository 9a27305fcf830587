"""The one kind of error that learning has."""

from __future__ import annotations


class LearningFailed(Exception):
    """A corpus, a label or a training can't be used: whoever supplied it must act.

    The message says what is wrong, and where.
    """
