"""The sampler: from live streams to frame samples in Kafka.

What platform infra embeds in a live-ingest shard, and the reference for one written otherwise::

    options = SampleOptions(fps=2, shard_id="ingest-7")
    with FrameProducer(config, max_payload_bytes=settings.max_payload_bytes) as producer:
        report = run([SourceSpec(url, stream_id)], options, producer)
"""

from .boosts import BoostFeed, Boosts
from .encoding import EncodedFrame, JpegEncoder, KeyFrameCutter
from .naming import name_sources, redact
from .options import (
    FASTEST,
    Clock,
    Mode,
    Pace,
    SampleOptions,
    SourceFailed,
    SourceSpec,
    StreamFacts,
    WallClock,
)
from .producer import DeliveryFailed, FrameProducer, FrameTooLarge
from .reports import OnProgress, RunReport, SourceProgress, SourceReport
from .runner import TooManySources, any_in_real_time, run
from .sampling import sample_opened, sample_source
from .sources import ImageFolder, Video, open_source
from .stops import StopOutcome, Stops

__all__ = [
    "FASTEST",
    "BoostFeed",
    "Boosts",
    "Clock",
    "DeliveryFailed",
    "EncodedFrame",
    "FrameProducer",
    "FrameTooLarge",
    "ImageFolder",
    "JpegEncoder",
    "KeyFrameCutter",
    "Mode",
    "OnProgress",
    "Pace",
    "RunReport",
    "SampleOptions",
    "SourceFailed",
    "SourceProgress",
    "SourceReport",
    "SourceSpec",
    "StopOutcome",
    "Stops",
    "StreamFacts",
    "TooManySources",
    "Video",
    "WallClock",
    "any_in_real_time",
    "name_sources",
    "open_source",
    "redact",
    "run",
    "sample_opened",
    "sample_source",
]
