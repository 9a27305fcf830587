"""Learning: a corpus of labelled footage, heads trained on it, and what is measured of a bundle.

Needs the extra ``train``. Nothing that a worker runs imports this package.
"""
