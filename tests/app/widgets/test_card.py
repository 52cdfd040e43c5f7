"""Model cards from outside: text stays, pictures of other hosts do not come in."""

import pytest
from streamlit.testing.v1 import AppTest

from app.widgets.card import without_comments, without_pictures


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a<!-- b -->c", "ac"),
        ("<!--\n\n-->a<!---->b", "ab"),
        ("a<!-- b", "a<!-- b"),
        ("a-->b", "a-->b"),
        ("<!--a<!--b-->c-->d", "c-->d"),
        ("<!-->a", "<!-->a"),
        ("", ""),
    ],
)
def test_a_comment_is_what_stands_between_its_ends(text: str, shown: str):
    assert without_comments(text) == shown


@pytest.mark.parametrize("text", ["<!--" * 250_000, "<!---->" * 150_000, "--><!--" * 150_000], ids=len)
@pytest.mark.timeout(60)
def test_a_card_full_of_comments_takes_no_longer_than_any_other(text: str):
    """A search that begins anew at each comment without an end would take hours."""
    assert len(without_comments(text)) <= len(text)


def test_comments_are_left_out_and_tags_are_given_as_text():
    def script() -> None:
        from app.widgets.card import card

        card("<!-- figures:\nwritten by evaluate -->One <b>two</b><!-- end -->")

    page = AppTest.from_function(script).run()
    [markdown] = page.markdown
    assert markdown.value == "One <b>two</b>"
    assert not markdown.allow_html
