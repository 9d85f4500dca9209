"""The table of keys in the documentation, beside the sheet that each page shows."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.system.server.serving import Serving

DOCS = (Path(__file__).parents[3] / "docs" / "reference" / "page.md").read_text()


@pytest.mark.parametrize("path", ["", "runs/{run}", "runs?run={run}"])
def test_every_key_is_documented(serving: Serving, page: Page, path: str) -> None:
    """What the sheet says of it stands in the table."""
    page.goto(serving.address + path.format(run=serving.start("count")))
    expect(page.locator("header.banner .rest")).to_be_visible()
    page.keyboard.press("?")
    told = page.locator("dialog .keys dd")
    expect(told.first).to_be_visible()
    table = DOCS[DOCS.index("## Keys") : DOCS.index("## What stands in an address")]
    missing = [text for text in told.all_inner_texts() if text not in table]
    assert not missing
