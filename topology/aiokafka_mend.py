"""A mend to aiokafka 0.14 on uvloop, without which a broker that dies takes workers with it.

What is written to a connection that has just been lost raises ``RuntimeError`` on uvloop, where
aiokafka awaits an ``OSError`` (aio-libs/aiokafka #1038): it came out of whatever was asked of the
brokers in that instant, and ended the process. Here it is the lost connection that it is.

The module is written for one version and says so at import. Remove it when upstream has the mend.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

import aiokafka
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

AIOKAFKA_VERSION = "0.14."

if not aiokafka.__version__.startswith(AIOKAFKA_VERSION):
    raise ImportError(
        f"topology.aiokafka_mend is for aiokafka {AIOKAFKA_VERSION}x, found "
        f"{aiokafka.__version__}: check whether it is still needed"
    )
_WRITING = ("send", "_send_sasl_token")


def mend_aiokafka() -> None:
    """From now on, for this process."""
    for name in _WRITING:
        write = getattr(AIOKafkaConnection, name)
        if not hasattr(write, "__wrapped__"):
            setattr(AIOKafkaConnection, name, _mended(write))


def _mended(write: Any) -> Any:
    @wraps(write)
    def mended(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return write(self, *args, **kwargs)
        except RuntimeError as error:
            if self._writer is None or not self._writer.is_closing():
                raise
            self.close(reason=CloseReason.CONNECTION_BROKEN)
            raise KafkaConnectionError(
                f"Connection at {self.host}:{self.port} broken: {error}"
            ) from error

    return mended
