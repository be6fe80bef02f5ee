import pytest

from vistune.world.export import export

SIZE = 40


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """A small export of the test split."""
    folder = tmp_path_factory.mktemp("export") / "world"
    export(folder, "test", SIZE, seed=3)
    return folder
