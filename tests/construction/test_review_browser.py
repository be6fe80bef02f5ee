"""The review page in a real browser: buttons, keys, and the file that is saved."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from vistune.construction.running.review import read_decisions
from vistune.construction.running.session import Choices, perform

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HANDS = """
<script>
  URL.createObjectURL = blob => { blob.text().then(text => { document.body.dataset.saved = text; }); return "#"; };
  document.querySelector('article button[data-verdict="accept"]').click();
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "r", bubbles: true }));
  document.getElementById("save").click();
</script>
"""


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
def test_decisions_are_made_and_saved(tmp_path: Path):
    perform(Choices("llava_instruct", ("world",), limit=3), tmp_path)
    page = tmp_path / "review.html"
    page.write_text(page.read_text().replace("</html>", HANDS + "</html>"))
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom"]
    done = subprocess.run([*command, page.as_uri()], capture_output=True, text=True, timeout=120, check=True)
    assert "2 of 3 decided" in done.stdout
    assert done.stdout.count('class="made accept"') == done.stdout.count('class="made reject"') == 1
    saved = re.search(r'data-saved="([^"]*)"', done.stdout)
    assert saved is not None
    (tmp_path / "decisions.json").write_text(saved.group(1).replace("&quot;", '"'))
    ids = [json.loads(line)["id"] for line in (tmp_path / "samples.jsonl").read_text().splitlines()]
    assert read_decisions(tmp_path / "decisions.json") == {ids[0]: True, ids[1]: False}
