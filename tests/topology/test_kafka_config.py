"""Security settings reach librdkafka and Faust alike, or are refused by name."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from faust.auth import OAuthCredentials, SASLCredentials, SSLCredentials
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from topology.kafka_config import ENVELOPE_BYTES, faust_credentials, librdkafka_config
from topology.settings import Settings, SettingsInvalid

BOOTSTRAP = "127.0.0.1:9"
SECRET = "do-not-tell"
PASSWORD = {"sasl_username": "firebreak", "sasl_password": SECRET}
OAUTH = {
    "oauth_token_url": "https://id.example/token",
    "oauth_client_id": "firebreak",
    "oauth_client_secret": SECRET,
}
OAUTH_CONFIG = {
    "sasl.mechanisms": "OAUTHBEARER",
    "sasl.oauthbearer.method": "oidc",
    "sasl.oauthbearer.token.endpoint.url": "https://id.example/token",
    "sasl.oauthbearer.client.id": "firebreak",
    "sasl.oauthbearer.client.secret": SECRET,
}


def made(protocol: Any, mechanism: Any = "PLAIN", **given: Any) -> Settings:
    return Settings(security_protocol=protocol, sasl_mechanism=mechanism, **given)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_password_reaches_both_clients(protocol: str, mechanism: str) -> None:
    settings = made(protocol, mechanism, **PASSWORD)
    config = librdkafka_config(settings, BOOTSTRAP)
    assert config["security.protocol"] == protocol
    assert config["sasl.mechanisms"] == mechanism
    assert (config["sasl.username"], config["sasl.password"]) == ("firebreak", SECRET)
    credentials = faust_credentials(settings)
    assert isinstance(credentials, SASLCredentials)
    auth = credentials_to_aiokafka_auth(credentials)
    assert auth["security_protocol"] == protocol
    assert auth["sasl_mechanism"] == mechanism
    assert (auth["sasl_plain_username"], auth["sasl_plain_password"]) == ("firebreak", SECRET)
    assert (auth["ssl_context"] is not None) == (protocol == "SASL_SSL")


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_oauth_client_reaches_both_clients(protocol: str) -> None:
    settings = made(protocol, "OAUTHBEARER", oauth_scope="kafka", **OAUTH)
    config = librdkafka_config(settings, BOOTSTRAP)
    assert config.items() >= {**OAUTH_CONFIG, "sasl.oauthbearer.scope": "kafka"}.items()
    credentials = faust_credentials(settings)
    assert isinstance(credentials, OAuthCredentials)
    auth = credentials_to_aiokafka_auth(credentials)
    assert auth["security_protocol"] == protocol
    assert auth["sasl_mechanism"] == "OAUTHBEARER"


def test_tls_checks_the_certificate_and_the_name_of_the_server() -> None:
    credentials = faust_credentials(made("SSL"))
    assert isinstance(credentials, SSLCredentials)
    assert credentials.context.verify_mode is ssl.CERT_REQUIRED
    assert credentials.context.check_hostname


def test_plain_connection_needs_nothing() -> None:
    settings = Settings()
    assert faust_credentials(settings) is None
    assert librdkafka_config(settings, BOOTSTRAP) == {
        "bootstrap.servers": BOOTSTRAP,
        "message.max.bytes": 4 * 1024 * 1024 + ENVELOPE_BYTES,
        "security.protocol": "PLAINTEXT",
        "log_level": 0,
        "reconnect.backoff.max.ms": 1000,
    }


def test_tls_files_are_handed_to_librdkafka_by_name(tmp_path: Path) -> None:
    names = ("ca", "certificate", "key")
    files: dict[str, Any] = {f"ssl_{name}_file": tmp_path / name for name in names}
    for file in files.values():
        file.touch()
    config = librdkafka_config(made("SSL", ssl_key_password=SECRET, **files), BOOTSTRAP)
    for name in names:
        assert config[f"ssl.{name}.location"] == str(tmp_path / name)
    assert config["ssl.key.password"] == SECRET


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        (made("SASL_SSL", sasl_password=SECRET), "FIREBREAK_SASL_USERNAME"),
        (made("SASL_SSL", "SCRAM-SHA-512", sasl_username="firebreak"), "FIREBREAK_SASL_PASSWORD"),
        (made("SASL_SSL", "OAUTHBEARER"), "FIREBREAK_OAUTH_TOKEN_URL"),
        (
            made("SASL_SSL", "OAUTHBEARER", **{**OAUTH, "oauth_client_secret": None}),
            "FIREBREAK_OAUTH_CLIENT_SECRET",
        ),
        (made("SASL_SSL", "OAUTHBEARER", **OAUTH, **PASSWORD), "FIREBREAK_SASL_USERNAME"),
        (made("SASL_SSL", **PASSWORD, **OAUTH), "FIREBREAK_OAUTH_TOKEN_URL"),
        (made("PLAINTEXT", sasl_password=SECRET), "FIREBREAK_SASL_PASSWORD"),
        (made("SSL", oauth_scope="kafka"), "FIREBREAK_OAUTH_SCOPE"),
        (made("PLAINTEXT", ssl_ca_file="/nowhere"), "FIREBREAK_SSL_CA_FILE"),
        (made("SSL", ssl_ca_file="/nowhere"), "FIREBREAK_SSL_CA_FILE"),
        (made("SSL", ssl_certificate_file="/nowhere"), "FIREBREAK_SSL_KEY_FILE"),
        (made("SSL", ssl_key_file="/nowhere"), "FIREBREAK_SSL_CERTIFICATE_FILE"),
    ],
)
def test_wrong_combination_is_refused_by_the_name_of_the_field(
    settings: Settings, field: str
) -> None:
    for configure in (faust_credentials, lambda given: librdkafka_config(given, BOOTSTRAP)):
        with pytest.raises(SettingsInvalid) as refused:
            configure(settings)
        assert str(refused.value).startswith(f"{field}: ")
        assert SECRET not in str(refused.value)


def test_file_that_is_no_certificate_is_refused_by_the_name_of_the_field(tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    with pytest.raises(SettingsInvalid, match="FIREBREAK_SSL_CA_FILE"):
        faust_credentials(made("SSL", ssl_ca_file=nonsense))
    with pytest.raises(SettingsInvalid, match="FIREBREAK_SSL_CERTIFICATE_FILE"):
        faust_credentials(made("SSL", ssl_certificate_file=nonsense, ssl_key_file=nonsense))


@pytest.mark.parametrize(
    "settings",
    [
        made("SASL_SSL", "SCRAM-SHA-512", **PASSWORD),
        made("SASL_SSL", "OAUTHBEARER", **OAUTH),
        made("SSL", ssl_key_password=SECRET),
    ],
)
def test_no_secret_is_in_what_may_be_logged(settings: Settings) -> None:
    credentials = faust_credentials(settings)
    shown = [settings, librdkafka_config(settings, BOOTSTRAP), credentials]
    if isinstance(credentials, OAuthCredentials):
        shown += [credentials.oauth_cb, vars(credentials.oauth_cb)]
    for thing in shown:
        assert SECRET not in f"{thing!r} {thing!s}"


@pytest.mark.parametrize(
    "settings",
    [
        made("SASL_SSL", "SCRAM-SHA-512", **PASSWORD),
        made("SASL_SSL", "OAUTHBEARER", oauth_scope="kafka", **OAUTH),
        made("SSL"),
    ],
)
def test_librdkafka_knows_every_property_that_it_is_given(settings: Settings) -> None:
    AdminClient(librdkafka_config(settings, BOOTSTRAP))
