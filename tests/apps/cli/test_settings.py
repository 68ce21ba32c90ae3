import json

import pytest


@pytest.fixture
def file(tmp_path):
    """Write the default configuration file."""
    path = tmp_path / "config" / "meetscribe" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


def test_config_says_where_each_setting_comes_from(cli, file, monkeypatch):
    """A flag over the environment over the file over the default, each by name."""
    file.write_text('retention_days = 90\njobs = 3\ntoken = "secret"\n')
    monkeypatch.setenv("MEETSCRIBE_JOBS", "2")
    shown = json.loads(cli("config", "--json", "--data-dir", "here").out)
    assert shown["data_dir"] == {"value": "here", "source": "flag", "place": "--data-dir"}
    assert shown["jobs"] == {"value": 2, "source": "environment", "place": "MEETSCRIBE_JOBS"}
    assert shown["retention_days"] == {"value": 90, "source": "file", "place": str(file)}
    assert shown["audio_retention_days"] == {"value": None, "source": "default", "place": ""}
    assert "retention_days = 90  [file: " in cli("config").out


def test_config_hides_what_is_secret(cli, file):
    """A token, and a password in an address, are not shown to who looks over the shoulder."""
    file.write_text('token = "geheim"\nmqtt = "mqtt://me:geheim@host:1883"\n')
    for result in (cli("config"), cli("config", "--json")):
        assert "geheim" not in result.out + result.err
        assert "mqtt://me:(hidden)@host:1883" in result.out


def test_a_wrong_setting_is_a_sentence(cli, file):
    """It names the setting, what is wrong with it, and where it can be mended."""
    file.write_text("retention_days = 0\n")
    result = cli("config")
    assert result.code == 2
    assert "setting 'retention_days' cannot be 0" in result.err
    assert str(file) in result.err


def test_a_setting_that_there_is_not_is_a_sentence(cli, file):
    """A slip of the pen in the file is told as one."""
    file.write_text("retention_day = 90\n")
    result = cli("config")
    assert result.code == 2
    assert f"{file}: there is no setting 'retention_day'" in result.err
