"""The key: made once, readable by its owner alone, and never silently another."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from dagster_project.privacy.keys import KEY_VARIABLE, VERSION_VARIABLE, KeyProblem, key_path, load_key
from dagster_project.settings import Settings

SECRET = "s3cret-" * 8


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def with_a_load(home: Settings) -> Settings:
    (home.lake / "loads").mkdir(parents=True, exist_ok=True)
    (home.lake / "loads" / "fill-1.parquet").write_bytes(b"")
    return home


def test_a_key_is_made_for_its_owner_alone_when_there_is_none(home: Settings) -> None:
    key = load_key(home, {})
    assert stat.S_IMODE(key_path(home).stat().st_mode) == 0o600 and stat.S_IMODE(home.protected.stat().st_mode) == 0o700
    assert load_key(home, {}).secret == key.secret and len(key.secret) == 64 and key.version == "1"


def test_the_environment_comes_first_when_it_holds_a_key(home: Settings) -> None:
    key = load_key(home, {KEY_VARIABLE: SECRET, VERSION_VARIABLE: "4"})
    assert (key.version, key.secret) == ("4", SECRET.encode()) and not key_path(home).exists()


@pytest.mark.parametrize(
    ("environ", "says"),
    [({KEY_VARIABLE: "short"}, "too short"), ({KEY_VARIABLE: SECRET, VERSION_VARIABLE: "v 1"}, "version")],
)
def test_a_key_is_refused_when_it_cannot_be_used(home: Settings, environ: dict[str, str], says: str) -> None:
    with pytest.raises(KeyProblem, match=says) as caught:
        load_key(home, environ)
    assert SECRET not in str(caught.value) and "short\n" not in str(caught.value)


def test_a_key_file_is_refused_when_others_can_read_it(home: Settings) -> None:
    load_key(home, {})
    key_path(home).chmod(0o640)
    with pytest.raises(KeyProblem, match="chmod 600"):
        load_key(home, {})


@pytest.mark.parametrize("content", [b"no version", b"\xff\xfe\x00", b""])
def test_a_key_file_is_refused_when_it_is_not_one(home: Settings, content: bytes) -> None:
    load_key(home, {})
    key_path(home).write_bytes(content)
    with pytest.raises(KeyProblem, match="put the right one back"):
        load_key(home, {})


def test_no_new_key_is_made_when_the_lake_holds_tokens_of_a_lost_one(home: Settings) -> None:
    load_key(home, {})
    with_a_load(home)
    key_path(home).unlink()
    with pytest.raises(KeyProblem, match="is missing"):
        load_key(home, {})
    assert not key_path(home).exists()


def test_another_key_is_refused_when_the_lake_holds_tokens(home: Settings) -> None:
    load_key(home, {KEY_VARIABLE: SECRET})
    load_key(home, {KEY_VARIABLE: SECRET[::-1]})  # nothing was read yet: nothing is lost
    with_a_load(home)
    assert load_key(home, {KEY_VARIABLE: SECRET[::-1]}).version == "1"
    with pytest.raises(KeyProblem, match="another key"):
        load_key(home, {KEY_VARIABLE: SECRET})
    with pytest.raises(KeyProblem, match="version 2"):
        load_key(home, {KEY_VARIABLE: SECRET[::-1], VERSION_VARIABLE: "2"})
    assert not any(SECRET[::-1].encode() in path.read_bytes() for path in home.home.rglob("*") if path.is_file())
