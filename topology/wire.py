"""The codec and the signatures that the settings ask for."""

from __future__ import annotations

from schemas import Codec
from schemas.signatures import KeyInvalid, Signer, Verifier

from .settings import Settings, SettingsInvalid


def build_codec(settings: Settings) -> Codec:
    """The codec; it writes for a schema registry where one is configured."""
    if settings.schema_registry_url is None:
        return Codec()
    # Imported where it is used: it needs the optional dependencies of [registry].
    from schemas.registry import SchemaRegistry

    client = {"url": settings.schema_registry_url}
    if settings.schema_registry_username and settings.schema_registry_password:
        password = settings.schema_registry_password.get_secret_value()
        client["basic.auth.user.info"] = f"{settings.schema_registry_username}:{password}"
    return Codec(SchemaRegistry(client))


def build_signer(settings: Settings) -> Signer | None:
    """Who signs decisions; nobody where no key is set. Raises ``SettingsInvalid``."""
    if settings.signing_key is None:
        return None
    try:
        return Signer(settings.signing_key.get_secret_value())
    except KeyInvalid as error:
        raise SettingsInvalid(f"FIREBREAK_SIGNING_KEY: {error}") from None


def build_verifier(settings: Settings) -> Verifier | None:
    """Who says whether a decision was signed; nobody where no keys are set.

    Raises ``SettingsInvalid``.
    """
    if settings.decision_keys is None:
        return None
    try:
        return Verifier(settings.decision_keys.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, KeyInvalid) as error:
        raise SettingsInvalid(f"FIREBREAK_DECISION_KEYS: {error}") from error
