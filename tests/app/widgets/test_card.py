"""Model cards from outside: text stays, pictures of other hosts do not come in."""

import pytest
from streamlit.testing.v1 import AppTest

from app.widgets.card import without_pictures


@pytest.mark.parametrize(
    "picture",
    [
        "![a](http://other.example/a.png)",
        "![a][b]\n\n[b]: http://other.example/a.png",
        "\\![a](http://other.example/a.png)",
        "\\\\![a](http://other.example/a.png)",
        "!![a](http://other.example/a.png)",
        "[![a](http://other.example/a.png)](http://other.example)",
    ],
)
def test_no_exclamation_mark_stands_before_a_bracket(picture: str):
    text = without_pictures(picture)
    assert "![" not in text
    assert text.replace("\u200b", "") == picture


def test_other_text_stays_as_it_is():
    text = "# Title!\n\n| a | b |\n|---|---|\n| [link](http://a.example) | 1 |\n"
    assert without_pictures(text) == text


def test_comments_are_left_out_and_tags_are_given_as_text():
    def script() -> None:
        from app.widgets.card import card

        card("<!-- figures:\nwritten by evaluate -->One <b>two</b><!-- end -->")

    page = AppTest.from_function(script).run()
    [markdown] = page.markdown
    assert markdown.value == "One <b>two</b>"
    assert not markdown.allow_html
