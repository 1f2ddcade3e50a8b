from __future__ import annotations

from pathlib import Path

import pytest

from auditor import config
from auditor.errors import ConfigError, UsageError
from auditor.gate import Policy
from auditor.model import Severity
from auditor.options import ARGV_WARNING, Options, build


def load(folder: Path, text: str, **environment: str) -> config.Config:
    path = folder / "tt-audit.yaml"
    path.write_text(text)
    return config.load(path, environment)


def test_every_key_is_read(tmp_path: Path) -> None:
    got = load(
        tmp_path,
        """
redis: ${REDIS_URL:-redis://db:6379}
code: [services/payment]
exclude: ["**/old/**"]
services: [{name: payment, code: services/payment, queues: [payments]}]
kinds: {sync-orders: payment}
roles: {"@acme/pay#charge": payment.create}
params: {TT005: {min_count: 50}}
waivers: [{item: TT016, subject: "reports*", reason: batch, by: ops, expires: 2027-03-31}]
attestations: [{item: TT095, by: ops, statement: nightly, expires: 2027-03-31}]
gate: {fail_on: medium, min_score: 80, fail_on_unverified: true}
""",
    )
    assert got.redis == ("redis://db:6379",)
    assert got.code == (tmp_path / "services/payment",)
    assert got.services[0].code == str(tmp_path / "services/payment")
    assert got.kinds == {"sync-orders": "payment"}
    assert got.params["TT005"].plain() == {"min_count": 50}
    assert got.waivers[0].waiver.expires == "2027-03-31"
    assert (got.fail_on, got.min_score, got.fail_on_unverified) == ("medium", 80, True)


def test_variables_come_from_the_environment_and_unset_ones_leave_the_key_out(tmp_path: Path) -> None:
    assert load(tmp_path, "redis: ${URL}", URL="redis://a").redis == ("redis://a",)
    assert load(tmp_path, "redis: ${URL}").redis == ()


def test_all_problems_are_told_with_lines(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(
            tmp_path,
            "reddis: x\nkinds: {a: paiment}\nwaivers: [{item: TT001, by: me, reason: r, expires: soon}]\ngate: {min_score: high}\n",
        )
    lines = [line.removeprefix(f"{tmp_path / 'tt-audit.yaml'}:") for line in caught.value.message.splitlines()]
    assert lines == [
        "1: tt-audit.yaml: unknown key reddis (did you mean redis?)",
        "2: kinds: a: one of payment, refund, nft, email, transfer, qr, analytics, cleanup, other is wanted, got 'paiment' (did you mean payment?)",
        "3: waiver: expires: a date like 2027-03-31 is wanted, got 'soon'",
        "4: gate: min_score: a whole number is wanted, got 'high' (text)",
    ]


def test_it_is_found_above_the_code_up_to_the_repository(tmp_path: Path) -> None:
    inner = tmp_path / "repo" / "services" / "a"
    inner.mkdir(parents=True)
    (tmp_path / "tt-audit.yaml").write_text("")
    (tmp_path / "repo" / ".git").mkdir()
    assert config.discover(inner) is None, "above the repository is somebody else's"
    (tmp_path / "repo" / "tt-audit.yaml").write_text("")
    assert config.discover(inner) == tmp_path / "repo" / "tt-audit.yaml"


class TestRequest:
    def options(self, tmp_path: Path, **more: object) -> Options:
        path = tmp_path / "tt-audit.yaml"
        if not path.exists():
            path.write_text("redis: redis://from-file\n")
        return Options(config=path, **more)  # type: ignore[arg-type]

    def test_the_command_line_wins_then_the_environment_then_the_file(self, tmp_path: Path) -> None:
        def hosts(environment: dict[str, str], **more: object) -> list[str]:
            return [address.host for address in build(self.options(tmp_path, **more), environment).request.redis]

        assert hosts({"REDIS_URL": "redis://from-env"}, redis=["redis://typed"]) == ["typed"]
        assert hosts({"REDIS_URL": "redis://from-env"}) == ["from-env"]
        assert hosts({}) == ["from-file"]
        assert hosts({"REDIS_URL": "redis://from-env"}, no_redis=True) == []

    def test_a_password_in_argv_is_warned_about_and_one_from_elsewhere_is_not(self, tmp_path: Path) -> None:
        assert build(self.options(tmp_path, redis=["redis://:hush@db"]), {}).warnings == (ARGV_WARNING,)
        assert build(self.options(tmp_path), {"REDIS_URL": "redis://:hush@db"}).warnings == ()

    def test_the_password_comes_from_a_file_stdin_or_the_environment(self, tmp_path: Path) -> None:
        def password(environment: dict[str, str], **more: object) -> str | None:
            return (
                build(self.options(tmp_path, redis=["redis://db"], **more), environment, lambda: "piped\n")
                .request.redis[0]
                .password
            )

        secret = tmp_path / "secret"
        secret.write_text("filed\n")
        assert password({}, password_file=secret) == "filed"
        assert password({}, password_stdin=True) == "piped"
        assert password({"REDISCLI_AUTH": "exported"}) == "exported"
        with pytest.raises(UsageError, match="exclude each other"):
            password({}, password_file=secret, password_stdin=True)
        with pytest.raises(UsageError, match="No such file"):
            password({}, password_file=tmp_path / "none")

    def test_the_gate_takes_the_command_line_before_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "tt-audit.yaml").write_text("gate: {fail_on: low, min_score: 70}\n")
        assert build(self.options(tmp_path), {}).request.policy == Policy(fail_on=Severity.LOW, min_score=70)
        assert build(self.options(tmp_path, fail_on="none", min_score=10), {}).request.policy == Policy(
            fail_on=None, min_score=10
        )
