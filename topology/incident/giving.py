"""An export from the command line is on record, as one from the page is, before it is given out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from agents.oncall.viewing import Asking, Kind, viewed
from agents.publishing import PublishFailed, outgoing
from schemas import Codec

from ..errors import OperatorError
from ..publisher import KafkaPublisher

_SEND_SECONDS = 10.0


class NotOnRecord(OperatorError):
    """Kafka did not take who exports what: start it, create the topic or grant access to it."""


def write_down(config: Mapping[str, Any], codec: Codec, asking: Asking) -> None:
    """Return once the brokers have who exports what, and why. ``config`` is librdkafka's.

    Raises ``NotOnRecord``: then nothing is to be given out.
    """
    timed = {**config, "message.timeout.ms": round(_SEND_SECONDS * 1000)}
    publisher = KafkaPublisher(timed, codec, "firebreak/incident")
    try:
        asyncio.run(publisher.publish([outgoing(viewed(Kind.EXPORT, asking, None), None)]))
    except PublishFailed as error:
        raise NotOnRecord(
            f"nothing was exported: it could not be put on record who asked for it: {error}"
        ) from error
    finally:
        publisher.close()
