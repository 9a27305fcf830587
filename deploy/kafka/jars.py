"""What a broker runs from: Java, and the jars that ``deploy/kafka/install`` put in place."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from topology.errors import OperatorError

HERE = Path(__file__).parent
_LIB = HERE.parent.parent / "build/kafka/lib"
_LEAST_JAVA = 17
"""Kafka 4's brokers need it."""


class KafkaMissing(OperatorError):
    """Kafka can't run on this machine as it is; the message says what is missing."""


def kafka_missing() -> str | None:
    """Why Kafka can't run here; ``None`` where it can."""
    try:
        java()
        classpath()
    except KafkaMissing as missing:
        return str(missing)
    return None


def java() -> str:
    """The path of a Java that is new enough: ``JAVA_HOME``'s, or else the first on ``PATH``.

    Raises ``KafkaMissing``.
    """
    return _java(os.environ.get("JAVA_HOME"))


@cache
def _java(home: str | None) -> str:
    found = shutil.which("java", path=f"{home}/bin" if home else None)
    if found is None:
        where = f"JAVA_HOME={home}" if home else "PATH"
        raise KafkaMissing(f"there is no java in {where}; see deploy/kafka/install")
    said = subprocess.run([found, "-version"], capture_output=True, text=True, check=False)  # noqa: S603  # found above
    version = re.search(r'version "(\d+)', said.stderr)
    if version is None:
        raise KafkaMissing(f"{found} does not tell its version: {said.stderr.strip()}")
    if int(version[1]) < _LEAST_JAVA:
        raise KafkaMissing(f"{found} is Java {version[1]}; Kafka needs {_LEAST_JAVA}")
    return found


def classpath() -> str:
    """All jars, as Java's ``-classpath`` takes them. Raises ``KafkaMissing``."""
    lines = (HERE / "jars.sha256").read_text(encoding="ascii").splitlines()
    jars = [_LIB / line.split()[1] for line in lines]
    absent = [jar.name for jar in jars if not jar.is_file()]
    if absent:
        raise KafkaMissing(
            f"{len(absent)} of {len(jars)} jars are not in {_LIB}, {absent[0]} for one: "
            "run deploy/kafka/install"
        )
    return os.pathsep.join(map(str, jars))
