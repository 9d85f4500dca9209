import pytest

from tailrace.web.page.html import Html, element, joined


@pytest.mark.parametrize(
    ("made", "markup"),
    [
        (element("p", "<b>&\"'"), "<p>&lt;b&gt;&amp;&quot;&#x27;</p>"),
        (element("p", element("b", "x"), " < y"), "<p><b>x</b> &lt; y</p>"),
        (element("a", "x", href='"><script>'), '<a href="&quot;&gt;&lt;script&gt;">x</a>'),
        (element("input", type="text", required=True, value=""), '<input type="text" required value="">'),
        (element("p", "", hidden=False, title=None), "<p></p>"),
        (element("label", "", for_="n", class_="a b", data_x="z"), '<label for="n" class="a b" data-x="z"></label>'),
        (element("meter", value=0), '<meter value="0"></meter>'),
        (joined("<", Html("<br>")), "&lt;<br>"),
    ],
)  # fmt: skip
def test_only_what_was_made_here_is_markup(made: Html, markup: str) -> None:
    """Text and values of attributes are escaped; true has no value, false and None leave the attribute out."""
    assert str(made) == markup
