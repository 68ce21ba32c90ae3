import pytest

from meetscribe.store.store import Store


@pytest.fixture
def store(tmp_path):
    """An empty store."""
    with Store(tmp_path / "data") as opened:
        yield opened
