from __future__ import annotations

import pytest
import torch

from tests.promptlearn import golden


@pytest.fixture(scope="session")
def clip():
    torch.set_num_threads(1)
    return golden.backbone()
