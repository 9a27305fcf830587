"""The codec that the settings ask for."""

from __future__ import annotations

from schemas import Codec

from .settings import Settings


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
