"""Pictures of frames for people, decoded as frames are for models: in a process of its own."""

from __future__ import annotations

from agents.dead_letters import Rejection
from agents.detection.decode import DecodeBounds
from agents.detection.decoders import Decoders, DecodersLost
from agents.detection.manifest import InputSpec
from agents.oncall.ports import NotDecodable, Pixels, Unavailable
from schemas import FrameSampled

from ..settings import Settings


class PictureDecoder:
    """A ``Decode``. The first process is begun with the first picture that somebody asks for."""

    def __init__(self, settings: Settings) -> None:
        bounds = DecodeBounds(settings.max_payload_bytes, settings.max_pixels)
        self._decoders = Decoders(bounds, ahead=0)

    def __call__(self, frame: FrameSampled, width: int, height: int) -> Pixels:
        spec = InputSpec("picture", "uint8", "NHWC", width, height, "RGB", 1.0, 0.0, "letterbox")
        try:
            (found,) = self._decoders.decode(spec, [frame])
        except DecodersLost as error:
            # It would end a detection worker, of which decoding is the work. This one's is not.
            raise Unavailable(f"nothing can be decoded now: {error}") from error
        if isinstance(found, Rejection):
            raise NotDecodable(f"{found.cause}: {found.detail}")
        return found

    def close(self) -> None:
        """End the processes that are not in use."""
        self._decoders.close()
