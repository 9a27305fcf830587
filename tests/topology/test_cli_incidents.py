"""``firebreak incidents`` and ``firebreak override`` through the on-call view."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
from click.testing import CliRunner, Result

from agents.oncall.access.roles import Role
from schemas import OperatorCommanded
from tests import signed_in
from tests.oncall.asking import fill
from tests.oncall.beside import beside
from tests.oncall.events import NOW, answered
from tests.oncall.serving import Served, serve
from topology.cli import main
from topology.settings import SettingsInvalid, load_settings

WHY = ("--reason", "a film set")


class Obeying(list[OperatorCommanded]):
    """What people ordered; each order is answered as it is given, as ``refusal`` says."""

    def __init__(self, served: Served) -> None:
        super().__init__()
        self.served = served
        self.refusal = ""
        self.is_silent = False

    def append(self, order: OperatorCommanded) -> None:
        super().append(order)
        if self.is_silent:
            return
        answer = answered(
            order.command,
            command_id=order.command_id,
            applied=not self.refusal,
            refusal=self.refusal,
            scope=order.scope,
            **({"stream_id": "", "session_id": ""} if order.scope else {}),
        )
        self.served.read_model.apply(order, NOW)
        self.served.read_model.apply(answer, NOW)


@pytest.fixture
def given() -> Obeying:
    served = fill(serve())
    served.given = obeying = Obeying(served)
    return obeying


@pytest.fixture
def url(given: Obeying) -> Iterator[str]:
    with beside(given.served) as where:
        yield where


def run(url: str, *arguments: str, role: Role = Role.ADMIN, token: str | None = None) -> Result:
    env = {"FIREBREAK_API_URL": url, "FIREBREAK_API_TOKEN": token or signed_in.bearer(role)}
    return CliRunner(env=env).invoke(main, arguments)


def test_the_queue_is_printed(url: str) -> None:
    """Those that are asked for, and one with why."""
    told = run(url, "incidents", "list")
    assert (told.exit_code, told.output.count("\n")) == (0, 1)
    assert told.output.startswith("incident-1  high  stream-1  escalated  opened ")

    assert "no such incidents" in run(url, "incidents", "list", "--severity", "critical").output
    closed = run(url, "incidents", "list", "--closed", "--held", "nobody").output
    assert closed.startswith("incident-2")
    assert "18 of 20 frames over 10 s" in run(url, "incidents", "show", "incident-1").output


def test_an_incident_is_acted_on(url: str, given: Obeying) -> None:
    """It says what it will do, and then what became of it; in the token's name."""
    told = run(url, "incidents", "assign", "incident-1", "--to", "ruru", *WHY)

    assert told.exit_code == 0, told.output
    assert "The incident is in the hand of whom you name" in told.stderr
    assert told.stdout.startswith("applied: assign of stream-1, session session-1")
    (order,) = given
    assert (order.command, order.assignee, order.session_id) == ("assign", "ruru", "session-1")
    assert order.operator == signed_in.person().name


def test_a_dry_run_orders_nothing(url: str, given: Obeying) -> None:
    told = run(url, "incidents", "verdict-false", "incident-1", *WHY, "--dry-run")
    assert "The incident is closed as rejected." in told.stderr
    assert (told.exit_code, given) == (0, [])


def test_an_override_goes_through_the_view(url: str, given: Obeying) -> None:
    """The stream's own id is named; how long in minutes."""
    told = run(url, "override", "stream-1", "suppress", "--until", "2h", *WHY)

    assert told.exit_code == 0, told.output
    (order,) = given
    assert (order.stream_id, order.until) == ("stream-1", NOW + 7_200_000_000)
    assert "until " in told.output

    told = run(url, "override", "hold-takedowns", "--scope", "region:NZ", "--until", "30 min", *WHY)
    assert "applied: hold-takedowns of region:NZ" in told.output


def test_an_override_says_what_it_will_do_before_it_does_it(url: str, given: Obeying) -> None:
    """As the view foretells it, of a stream, of a scope and of the breaker."""
    for arguments, said in (
        (("stream-1", "resume"), "likely to be refused: no release or suppression is in force"),
        (("lift-hold", "--scope", "region:NZ"), "change nothing: nothing is held for region:NZ"),
        (("close-breaker", "--scope", "all"), "change nothing: the breaker is closed"),
    ):
        told = run(url, "override", *arguments, *WHY, "--dry-run")
        assert (told.exit_code, told.stdout) == (0, "")
        assert said in told.stderr
    assert given == []

    told = run(url, "override", "stream-1", "release", *WHY)
    assert "The incident is closed as rejected." in told.stderr
    assert told.stdout.startswith("applied: release of stream-1")


def test_a_refusal_is_told_with_why(url: str, given: Obeying) -> None:
    given.refusal = "nothing-open"
    told = run(url, "override", "stream-1", "release", *WHY)
    assert told.exit_code == 1
    assert "refused: release of stream-1" in told.output
    assert "no incident is open" in told.output


def test_no_answer_in_time_is_told(url: str, given: Obeying) -> None:
    """The order's id is told: it may take effect yet."""
    given.is_silent = True
    told = run(url, "override", "stream-1", "release", *WHY, "--timeout", "0.2")
    assert told.exit_code == 1
    assert given[0].command_id in told.output

    assert run(url, "override", "stream-1", "release", *WHY, "--no-wait").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("stream-9", "release"), "No such stream is known"),
        (("stream-1", "release", "--session", "session-0"), "another session by now"),
        (("stream-1", "suppress", "--until", "90s"), "whole minutes"),
        (("stream-1", "suppress", "--until", "30 days"), "At most 7 days"),
        (("stream-1", "release", "--operator", "kea"), "FIREBREAK_API_TOKEN says who you are"),
    ],
)
def test_what_can_not_be_ordered_is_told(
    url: str, given: Obeying, arguments: tuple[str, ...], says: str
) -> None:
    told = run(url, "override", *arguments, *WHY)
    assert told.exit_code != 0
    assert says in told.output
    assert given == []


def test_who_may_not_is_told(url: str, given: Obeying) -> None:
    """A role that does not allow it, and a token that is none."""
    told = run(url, "override", "stream-1", "release", *WHY, role=Role.VIEWER)
    assert (told.exit_code, "role does not allow" in told.output) == (1, True)
    told = run(url, "incidents", "list", token="no-token")
    assert (told.exit_code, "FIREBREAK_API_TOKEN is not taken" in told.output) == (1, True)
    assert "no-token" not in told.output
    assert given == []


def test_a_view_that_is_away_is_told() -> None:
    told = run("http://127.0.0.1:1", "incidents", "list")
    assert (told.exit_code, "can't be reached" in told.output) == (1, True)


def test_without_an_address_the_way_to_kafka_is_told() -> None:
    told = CliRunner().invoke(main, ["incidents", "list"])
    assert told.exit_code == 1
    assert "FIREBREAK_API_URL is not set" in told.output


class _Elsewhere(BaseHTTPRequestHandler):
    """Leads all who ask to itself, at another path; keeps what came there."""

    came: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.came.append(self.path)
        self.send_response(302)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_told: object) -> None:
        pass


def test_no_redirect_is_followed() -> None:
    """The token is for the view, and not for whoever that sends us to."""
    with HTTPServer(("127.0.0.1", 0), _Elsewhere) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        told = run(f"http://127.0.0.1:{server.server_port}", "incidents", "list")
        thread.join()
    assert told.exit_code == 1
    assert "is no Firebreak" in told.output
    assert _Elsewhere.came == ["/api/v1/incidents"]


@pytest.mark.parametrize(
    ("url", "is_taken"),
    [
        ("https://oncall.example.org", True),
        ("https://oncall.example.org/", True),
        ("http://127.0.0.1:6066", True),
        ("http://[::1]:6066", True),
        ("http://localhost:6066", True),
        ("http://oncall.example.org", False),
        ("http://10.0.0.1:6066", False),
        ("https://kea@oncall.example.org", False),
        ("https://oncall.example.org/path", False),
        ("file:///etc/passwd", False),
        ("oncall.example.org", False),
    ],
)
def test_tokens_are_sent_by_tls_or_to_this_machine(
    url: str, is_taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody on the way reads them."""
    monkeypatch.setenv("FIREBREAK_API_URL", url)
    if is_taken:
        assert load_settings().api_url == url.rstrip("/")
    else:
        with pytest.raises(SettingsInvalid, match="FIREBREAK_API_URL"):
            load_settings()


def test_the_token_may_be_a_file(url: str, tmp_path: Path) -> None:
    (tmp_path / "firebreak_api_token").write_text(signed_in.bearer())
    env = {"FIREBREAK_API_URL": url, "FIREBREAK_SECRETS_DIR": str(tmp_path)}
    assert CliRunner(env=env).invoke(main, ["incidents", "list"]).exit_code == 0


def test_straight_to_kafka_somebody_says_who_they_are() -> None:
    """There is no token to say so."""
    told = CliRunner().invoke(main, ["override", "stream-1", "release", *WHY])
    assert (told.exit_code, "Missing option '--operator'" in told.output) == (2, True)
