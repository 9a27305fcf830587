"""From the settings to the configuration of librdkafka's clients and of Faust's.

Both check a server's certificate and its name, against ``ssl_ca_file`` or else the system's
authorities, and the OAuth endpoint's against ``oauth_ca_file`` or else the system's.
"""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path
from typing import Any

from aiokafka.partitioner import murmur2
from faust.auth import OAuthCredentials, SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT
from pydantic import SecretStr

from .oauth import ClientCredentials, ClientCredentialsProvider
from .settings import Settings, SettingsInvalid

ENVELOPE_BYTES = 64 * 1024
"""Room for a record's other fields, headers and framing beside the largest payload."""

PRODUCER: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    # What is published is waited for: of what comes meanwhile the next request is full enough.
    "linger.ms": 1,
    "compression.type": "none",  # payloads are compressed already, the rest is small
    # murmur2, so that a key has the partition that Kafka's own clients give it.
    "partitioner": "murmur2_random",
}
"""librdkafka's properties of all our producers: nothing lost, nothing twice, streams in place."""

_SECRET_KEYS = ("sasl.password", "sasl.oauthbearer.client.secret", "ssl.key.password")
_PASSWORD_FIELDS = ("sasl_username", "sasl_password")
_OAUTH_FIELDS = ("oauth_token_url", "oauth_client_id", "oauth_client_secret")
_OPTIONAL_OAUTH_FIELDS = ("oauth_scope", "oauth_ca_file")
_TLS_FIELDS = ("ssl_ca_file", "ssl_certificate_file", "ssl_key_file", "ssl_key_password")
_FILE_FIELDS = ("oauth_ca_file", "ssl_ca_file", "ssl_certificate_file", "ssl_key_file")


class ClientConfig(dict[str, Any]):
    """librdkafka's configuration. It holds secrets, which its ``repr`` does not show."""

    def __repr__(self) -> str:
        return repr({key: "***" if key in _SECRET_KEYS else self[key] for key in self})


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """In which of a topic's ``partitions`` the key is, as Kafka's clients have it."""
    hashed: int = murmur2(key)
    return (hashed & 0x7FFFFFFF) % partitions


def largest_record(settings: Settings) -> int:
    """Bytes of the largest record; clients, topics and fetches all go by it."""
    return settings.max_payload_bytes + ENVELOPE_BYTES


def librdkafka_config(settings: Settings, bootstrap: str) -> dict[str, Any]:
    """What every librdkafka client of ours starts from. Raises ``SettingsInvalid``.

    A consumer raises its ``fetch.max.bytes`` to ``message.max.bytes`` by itself, and gets a record
    over the partition's share when it is the first of a fetch. Properties of consumers alone are
    left out: producers warn of them.
    """
    _check(settings)
    config: dict[str, Any] = {
        "bootstrap.servers": bootstrap,
        "message.max.bytes": largest_record(settings),
        "security.protocol": settings.security_protocol,
        # It would log a line for each attempt to reconnect. What matters comes back as an error.
        "log_level": 0,
        # Ten by default, in which a broker that is back may already lead again.
        "reconnect.backoff.max.ms": 1_000,
    }
    if _is_sasl(settings):
        config["sasl.mechanisms"] = settings.sasl_mechanism
        config |= _librdkafka_oauth(settings) if _is_oauth(settings) else _password(settings)
    if _is_tls(settings):
        config |= {
            "ssl.ca.location": _text(settings.ssl_ca_file),
            "ssl.certificate.location": _text(settings.ssl_certificate_file),
            "ssl.key.location": _text(settings.ssl_key_file),
            "ssl.key.password": _reveal(settings.ssl_key_password),
        }
    return ClientConfig({key: value for key, value in config.items() if value is not None})


def faust_credentials(settings: Settings) -> CredentialsT | None:
    """Faust's ``broker_credentials``; none where connections are plain.

    Raises ``SettingsInvalid``.
    """
    _check(settings)
    context = _tls_context(settings) if _is_tls(settings) else None
    if not _is_sasl(settings):
        return None if context is None else SSLCredentials(context)
    if _is_oauth(settings):
        return OAuthCredentials(oauth_cb=_token_provider(settings), ssl_context=context)
    return SASLCredentials(
        username=settings.sasl_username,
        password=_reveal(settings.sasl_password),
        mechanism=settings.sasl_mechanism,
        ssl_context=context,
    )


def _check(settings: Settings) -> None:
    """Raises ``SettingsInvalid`` where a field is missing, unused as things are, or no file."""
    protocol = f"FIREBREAK_SECURITY_PROTOCOL={settings.security_protocol}"
    mechanism = f"FIREBREAK_SASL_MECHANISM={settings.sasl_mechanism}"
    if _is_oauth(settings):
        _require(settings, _OAUTH_FIELDS, f"{protocol} and {mechanism}")
        _refuse(settings, _PASSWORD_FIELDS, mechanism)
    elif _is_sasl(settings):
        _require(settings, _PASSWORD_FIELDS, f"{protocol} and {mechanism}")
        _refuse(settings, _OAUTH_FIELDS + _OPTIONAL_OAUTH_FIELDS, mechanism)
    else:
        _refuse(settings, _PASSWORD_FIELDS + _OAUTH_FIELDS + _OPTIONAL_OAUTH_FIELDS, protocol)
    if not _is_tls(settings):
        _refuse(settings, _TLS_FIELDS, protocol)
    if settings.ssl_certificate_file is not None:
        _require(settings, ("ssl_key_file",), "FIREBREAK_SSL_CERTIFICATE_FILE")
    if settings.ssl_key_file is not None:
        _require(settings, ("ssl_certificate_file",), "FIREBREAK_SSL_KEY_FILE")
    for field in _FILE_FIELDS:
        path: Path | None = getattr(settings, field)
        if path is not None and not path.is_file():
            raise SettingsInvalid(f"{_variable(field)}: there is no file {path}")


def _require(settings: Settings, fields: tuple[str, ...], because: str) -> list[str]:
    values = []
    for field in fields:
        value = getattr(settings, field)
        if value is None:
            raise SettingsInvalid(f"{_variable(field)}: needed with {because}")
        values.append(value.get_secret_value() if isinstance(value, SecretStr) else str(value))
    return values


def _refuse(settings: Settings, fields: tuple[str, ...], because: str) -> None:
    for field in fields:
        if getattr(settings, field) is not None:
            raise SettingsInvalid(f"{_variable(field)}: set, but not used with {because}")


def _variable(field: str) -> str:
    return f"FIREBREAK_{field.upper()}"


def _is_sasl(settings: Settings) -> bool:
    return settings.security_protocol.startswith("SASL_")


def _is_oauth(settings: Settings) -> bool:
    return _is_sasl(settings) and settings.sasl_mechanism == "OAUTHBEARER"


def _is_tls(settings: Settings) -> bool:
    return settings.security_protocol.endswith("SSL")


def _password(settings: Settings) -> dict[str, Any]:
    return {
        "sasl.username": settings.sasl_username,
        "sasl.password": _reveal(settings.sasl_password),
    }


def _librdkafka_oauth(settings: Settings) -> dict[str, Any]:
    return {
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.token.endpoint.url": settings.oauth_token_url,
        "sasl.oauthbearer.client.id": settings.oauth_client_id,
        "sasl.oauthbearer.client.secret": _reveal(settings.oauth_client_secret),
        "sasl.oauthbearer.scope": settings.oauth_scope,
        "https.ca.location": _text(settings.oauth_ca_file),
    }


def _token_provider(settings: Settings) -> ClientCredentialsProvider:
    url, client_id, secret = _require(settings, _OAUTH_FIELDS, "OAUTHBEARER")
    return ClientCredentialsProvider(
        ClientCredentials(url, client_id, secret, settings.oauth_scope),
        _trusting(settings.oauth_ca_file, "oauth_ca_file"),
    )


def _tls_context(settings: Settings) -> ssl.SSLContext:
    context = _trusting(settings.ssl_ca_file, "ssl_ca_file")
    if settings.ssl_certificate_file is not None:
        # Without a password OpenSSL would ask for one on the terminal.
        password = _reveal(settings.ssl_key_password) or ""
        try:
            context.load_cert_chain(settings.ssl_certificate_file, settings.ssl_key_file, password)
        except OSError as error:
            raise SettingsInvalid(
                f"FIREBREAK_SSL_CERTIFICATE_FILE, FIREBREAK_SSL_KEY_FILE or "
                f"FIREBREAK_SSL_KEY_PASSWORD: {error}"
            ) from error
    return context


def _trusting(authorities: Path | None, field: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authorities)
    except OSError as error:  # ssl.SSLError is one
        raise SettingsInvalid(f"{_variable(field)}: {error}") from error


def _reveal(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
