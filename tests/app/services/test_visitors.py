"""Who asks: an open session by its token, and everybody else as one."""

from app.services.visitors import ANONYMOUS, Visitors
from app.session.state import Session


def test_an_open_session_is_known_by_its_token_until_it_ends():
    book, memory = Visitors(), Session()
    token = memory.token
    assert book.known(token) == ANONYMOUS
    book.welcome(token, memory)
    assert book.known(token) == token
    del memory
    assert book.known(token) == ANONYMOUS


def test_whoever_has_no_token_or_makes_one_up_is_anybody():
    book = Visitors()
    assert {book.known(token) for token in (None, "", "made up", "x" * 10_000)} == {ANONYMOUS}
