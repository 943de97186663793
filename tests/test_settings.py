"""Settings: typed, below one home, and unknown names are refused."""

from pathlib import Path

import pytest

from dagster_project.settings import SettingsError, load_settings


def test_an_unknown_setting_is_refused_and_the_nearest_one_named():
    with pytest.raises(SettingsError, match="unknown setting CLAIMHOUSE_HOMES; did you mean CLAIMHOUSE_HOME"):
        load_settings({"CLAIMHOUSE_HOMES": "/tmp/x"})


def test_a_value_of_the_wrong_type_is_refused():
    with pytest.raises(SettingsError, match="threads"):
        load_settings({"CLAIMHOUSE_THREADS": "many"})


def test_everything_lies_below_home(tmp_path: Path):
    settings = load_settings({"CLAIMHOUSE_HOME": str(tmp_path / "house")})
    places = [
        settings.landing,
        settings.lake,
        settings.warehouse,
        settings.published,
        settings.quarantine,
        settings.protected,
        settings.dagster,
        settings.answers,
        settings.scratch,
        settings.dbt_target,
    ]
    assert all(settings.home in place.parents for place in places)


def test_home_defaults_to_data_beside_the_caller(monkeypatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    assert load_settings({}).home == tmp_path / "data"


def test_a_file_counts_as_whole_only_after_half_a_minute_without_a_change():
    assert load_settings({}).quiet_seconds == 30


def test_secrets_are_no_settings():
    assert "secret" not in repr(load_settings({"CLAIMHOUSE_TOKEN_KEY": "secret"}))
