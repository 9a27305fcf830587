"""Everything an operator can set, read once from the environment (``FIREBREAK_…``) and frozen.

A secret ``FIREBREAK_X`` may instead be a file named ``firebreak_x`` in the folder that
``FIREBREAK_SECRETS_DIR`` names.
"""

from __future__ import annotations

import os
import tempfile
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Literal

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from yarl import URL

from agents.oncall.access.roles import Role as WebRole
from agents.oncall.access.tokens import KEY_CHARACTERS

from .errors import OperatorError

Network = IPv4Network | IPv6Network

_AGENTS = Path(__file__).parent.parent / "agents"
_DEFAULT_BUNDLE = _AGENTS / "detection/bundles/lite0"
_DEFAULT_POLICY = _AGENTS / "decision/policies/default.toml"
_DRILL_CLIP = _AGENTS.parent / "deploy/demo/drill/drill.mp4"


def _runtime_dir() -> Path:
    """The user's own runtime folder; a name of the user's own where there is none."""
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    return Path(base) / f"firebreak-{os.getuid()}"


class SettingsInvalid(OperatorError):
    """A setting is missing or wrong."""


class Settings(BaseSettings):
    """One process's settings. Times in seconds, sizes in bytes unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix="FIREBREAK_", frozen=True, extra="ignore")

    bootstrap_servers: str | None = None
    """``host:port,…`` of a Kafka; none means the embedded broker."""
    broker_wait: float | None = Field(default=None, gt=0)
    """How long a worker that starts waits for brokers that are away, saying so on its page; none
    means for as long as it takes."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = "PLAIN"
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    oauth_token_url: str | None = None
    oauth_client_id: str | None = None
    oauth_client_secret: SecretStr | None = None
    oauth_scope: str | None = None
    oauth_ca_file: Path | None = None
    """Authorities that sign the token endpoint's certificate; the system's by default."""
    ssl_ca_file: Path | None = None
    ssl_certificate_file: Path | None = None
    ssl_key_file: Path | None = None
    ssl_key_password: SecretStr | None = None

    signing_key: SecretStr | None = None
    """An Ed25519 private key, in PEM or as a JSON Web Key, that decisions are signed with."""
    decision_keys: Path | None = None
    """A JSON Web Key Set. Given one, readers of decisions refuse what none of its keys signed."""

    schema_registry_url: str | None = None
    schema_registry_username: str | None = None
    schema_registry_password: SecretStr | None = None

    broker_memory_limit_mb: int = Field(default=2048, ge=64)
    """The embedded broker keeps every record in memory and is stopped at this size."""

    bundle: Path = _DEFAULT_BUNDLE
    """A bundle's folder, or a line-up file (``….toml``, see ``agents.detection.lineup``)."""
    execution_providers: tuple[str, ...] = ("CUDAExecutionProvider", "CPUExecutionProvider")
    """In order of preference; those that this machine lacks are passed over."""
    max_payload_bytes: int = Field(default=4 * 1024 * 1024, ge=64 * 1024)
    """Largest encoded frame; producers, topics, fetches and the decoder all go by it."""
    payload_origins: tuple[str, ...] = ()
    """``https://host[:port]`` of each place that a ``payload_uri`` may lie at."""
    payload_networks: tuple[Network, ...] = ()
    """Networks that are not public, ``10.1.0.0/16``, in which such a place may be."""
    payload_timeout: float = Field(default=3.0, gt=0)
    """For one attempt to fetch a payload."""
    max_pixels: int = Field(default=7680 * 4320, ge=1)
    """Largest decoded frame; 8K UHD by default."""
    batch_size: int = Field(default=64, ge=1)
    """Most frames of a micro-batch; fewer where the latency target asks for it."""
    batch_wait: float = Field(default=0.02, gt=0)
    """How long a micro-batch waits to fill."""
    latency_target: float = Field(default=0.1, gt=0)
    """From a micro-batch's first frame to its detections, where no backlog is before it."""
    shed_backlog: float = Field(default=5.0, gt=0)
    """Frames of calm streams are shed while what waits would take longer than this to judge."""
    shed_keep_every: float = Field(default=2.0, gt=0)
    """Of each stream a frame in so many seconds is judged all the same."""
    shed_age: float = Field(default=120.0, gt=0)
    """So are frames that the brokers took longer ago, and those of streams at risk to two a second,
    however little waits. More than any failover takes."""
    shed_at_risk: float = Field(default=0.1, gt=0, le=1)
    """From this risk on a stream's frames are the last to be shed."""
    inference_timeout: float = Field(default=60.0, gt=0)

    policy: Path = _DEFAULT_POLICY
    """A policy, or a line-up of policies (``agents.decision.policies``)."""

    drill_clip: Path = _DRILL_CLIP
    """What a drill that is started on the on-call page shows: a file, or a folder of images."""

    web_host: str = "127.0.0.1"
    web_port: int = Field(default=6066, ge=0, le=65535)
    evidence_veiled: bool = True
    """Whether pictures of people are shown blurred and in greyscale until somebody asks for one
    as it is, with a reason. Reviewers' wellness; the organisation decides."""
    web_key: SecretStr | None = None
    """What sign-in tokens are signed with: one for the whole fleet, as any worker serves anybody.
    Without it nobody can sign in by token. ``firebreak token key`` makes one."""
    web_key_previous: SecretStr | None = None
    """The key before: what it signed is taken, and nothing new is signed with it."""
    web_proxies: tuple[Network, ...] = ()
    """Networks of proxies, ``10.1.0.0/16``, whose word on who somebody is counts. Needs the key."""
    web_proxy_user_header: str = "X-Forwarded-User"
    web_proxy_groups_header: str = "X-Forwarded-Groups"
    web_proxy_groups_separator: str = Field(default=",", min_length=1)
    web_proxy_roles: dict[str, WebRole] = {}
    """Which role each group has, ``{"oncall": "responder"}``: viewer, responder or admin."""
    web_requests_per_minute: int = Field(default=1200, ge=60)
    """Of one person, at one worker."""
    api_url: str | None = None
    """``https://host[:port]`` of the on-call view, for commands that read and order through it.
    Without TLS a host is this machine's own: the token would be told to whoever listens."""
    api_token: SecretStr | None = None
    """What those commands say who they are with; ``firebreak token create`` makes one."""
    api_ca_file: Path | None = None
    """Authorities that sign the view's certificate; the system's by default."""
    runtime_dir: Path = Field(default_factory=_runtime_dir)
    """Where a running embedded broker says where it listens, and workers keep their data."""

    @field_validator("web_key", "web_key_previous")
    @classmethod
    def _is_long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < KEY_CHARACTERS:
            raise ValueError(f"shorter than {KEY_CHARACTERS} characters")
        return key

    @model_validator(mode="after")
    def _can_prove_requests(self) -> Settings:
        if self.web_key is None and self.web_proxies:
            # Proofs that requests come from our own pages are made with it, at any worker.
            raise ValueError("FIREBREAK_WEB_PROXIES needs FIREBREAK_WEB_KEY")
        if self.web_key is None and self.web_key_previous is not None:
            raise ValueError("FIREBREAK_WEB_KEY_PREVIOUS needs FIREBREAK_WEB_KEY")
        return self

    @field_validator("api_url")
    @classmethod
    def _is_safe_to_tell_a_token(cls, url: str | None) -> str | None:
        if url is not None and not is_safe_origin(url.rstrip("/")):
            raise ValueError("not https://host[:port], nor http:// and this machine's own")
        return url and url.rstrip("/")

    @field_validator("payload_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            url = URL(origin)
            if url.scheme not in ("http", "https") or not url.host or URL(origin).origin() != url:
                raise ValueError("not each is http://host[:port] or https://host[:port]")
        return origins

    @field_validator("latency_target")
    @classmethod
    def _leaves_time_to_judge(cls, target: float, info: ValidationInfo) -> float:
        # Absent where it is itself invalid, which is told.
        if target <= info.data.get("batch_wait", 0):
            raise ValueError("not above FIREBREAK_BATCH_WAIT, which leaves no time to judge")
        return target


def is_safe_origin(origin: str) -> bool:
    """Whether ``origin`` is a place, and secrets can be sent there."""
    try:
        url = URL(origin)
        if not url.host or url.origin() != url or url.user is not None:
            return False
    except ValueError:
        return False
    own = url.host == "localhost" or _is_loopback(url.host)
    return url.scheme == "https" or (url.scheme == "http" and own)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, ``overrides`` first. Raises ``SettingsInvalid``."""
    secrets = os.environ.get("FIREBREAK_SECRETS_DIR")
    try:
        return Settings(_secrets_dir=secrets, **overrides)  # type: ignore[call-arg,arg-type]  # typed by pydantic
    except ValidationError as error:
        # The rejected input may be a secret, so the message names the field and not the value.
        problems = "; ".join(
            f"FIREBREAK_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}"
            if e["loc"]
            else e["msg"]
            for e in error.errors()
        )
        raise SettingsInvalid(problems) from None
