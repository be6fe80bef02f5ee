"""One file a surface. Folders of tests without `__init__.py` name their files without the folder, as pytest finds them."""

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parents[2] / "model"), str(Path(__file__).parents[2])]
