"""Errors by who must act."""

from __future__ import annotations


class OperatorError(Exception):
    """Something that the operator has to put right; the message says what, and where."""
