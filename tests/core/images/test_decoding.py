"""Pictures opened in processes of their own: what comes back, and what becomes of those that would never end."""

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from tests.core.pictures import ORANGE, encode, solid
from vae_core.errors import BusyError, ImageError, InternalError
from vae_core.images import decoding
from vae_core.images.copies import reduced_copy
from vae_core.images.decoding import COMMAND, Decoders
from vae_core.images.files import open_picture

PNG = encode(solid("RGB", ORANGE), "PNG")
LONG = 60.0  # seconds that no test takes

# A process that does what the picture's name says.
ACTOR = """
import os, sys, time
from vae_core.runtime.processes import read_frame, write_frame
while (request := read_frame(sys.stdin.buffer)) is not None:
    if b"slow" in request:
        time.sleep(600)
    if b"dies" in request:
        os._exit(3)
    write_frame(sys.stdout.buffer, b"\\x00" + str(os.getpid()).encode())
"""


@pytest.fixture(scope="module")
def real() -> Iterator[Decoders]:
    """Decoders as the app has them."""
    made = Decoders(seconds=LONG)
    yield made
    made.close()


@pytest.fixture
def actors() -> Iterator[Decoders]:
    """Processes that do what a picture's name says, one of them; a picture has half a second."""
    made = Decoders([sys.executable, "-c", ACTOR], helpers=1, seconds=0.5)
    made.warm_up()
    made._seconds = LONG
    assert made.reduced_copy(b"", name="first")  # it has started by now
    made._seconds = 0.5
    yield made
    made.close()


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"])
def test_a_picture_comes_back_as_the_copy_that_is_kept(real: Decoders, file_format: str) -> None:
    data = encode(solid("RGB", ORANGE, (60, 40)), file_format)
    assert real.reduced_copy(data) == reduced_copy(open_picture(data))


@pytest.mark.parametrize("data", [b"", b"no picture", PNG[:30], b"\x89"], ids=["empty", "text", "cut", "a byte"])
def test_what_is_no_picture_is_refused_in_the_same_words(real: Decoders, data: bytes) -> None:
    with pytest.raises(ImageError) as expected:
        open_picture(data, name="my café.png")
    with pytest.raises(ImageError) as refused:
        real.reduced_copy(data, name="my café.png")
    assert str(refused.value) == str(expected.value)


def test_a_name_of_half_a_character_costs_nothing(real: Decoders) -> None:
    with pytest.raises(ImageError, match="must be a picture"):
        real.reduced_copy(b"", name="\ud800")


def test_threads_share_the_processes(real: Decoders) -> None:
    pictures = [encode(solid("L", value), "PNG") for value in range(40)]
    with ThreadPoolExecutor(8) as threads:
        copies = list(threads.map(real.reduced_copy, pictures))
    assert [open_picture(copy).convert("L").getpixel((0, 0)) for copy in copies] == list(range(40))


def test_a_picture_has_its_time_and_the_next_one_a_new_process(actors: Decoders) -> None:
    before = actors.reduced_copy(b"", name="fine")
    with pytest.raises(ImageError, match=r"slow\.png must be a picture that is decoded in 0 s, got one that takes"):
        actors.reduced_copy(b"", name="slow.png")
    actors._seconds = LONG
    assert actors.reduced_copy(b"", name="fine") != before


def test_a_decoder_that_ends_costs_that_picture_alone(actors: Decoders) -> None:
    actors._seconds = LONG
    with pytest.raises(ImageError, match=r"dies.png must be an intact picture, got one that ended its .*exit status 3"):
        actors.reduced_copy(b"", name="dies.png")
    assert actors.reduced_copy(b"", name="fine")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no process's memory this way")
def test_a_picture_that_needs_too_much_memory_is_refused() -> None:
    small = Decoders([*COMMAND[:-1], str(300 * 2**20)], helpers=1, seconds=LONG)
    large = encode(Image.new("RGB", (8_000, 6_000), ORANGE), "PNG", compress_level=1)
    try:
        with pytest.raises(ImageError, match=r"large\.png must"):
            small.reduced_copy(large, name="large.png")
        assert small.reduced_copy(PNG)
    finally:
        small.close()


def test_one_slow_picture_does_not_keep_others_waiting() -> None:
    two = Decoders([sys.executable, "-c", ACTOR], helpers=2, seconds=LONG)

    def open_slow() -> None:
        with pytest.raises(ImageError):
            two.reduced_copy(b"", name="slow")

    slow = threading.Thread(target=open_slow, daemon=True)
    slow.start()
    try:
        for _ in range(3):
            assert two.reduced_copy(b"", name="fine")
    finally:
        two.close()
        slow.join(LONG)


def test_too_many_pictures_at_a_time_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "WAITING", 0)
    one = Decoders(["no-such-program"], helpers=1)
    with one._helper(), pytest.raises(BusyError, match="0 pictures wait already"):
        one.reduced_copy(PNG)


def test_who_waits_too_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "WAIT_SECONDS", 0.0)
    one = Decoders(["no-such-program"], helpers=1)
    with one._helper(), pytest.raises(BusyError, match="busy with other pictures"):
        one.reduced_copy(PNG)


def test_where_no_process_can_be_started_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(InternalError, match="something went wrong inside"):
        Decoders(["no-such-program"]).reduced_copy(PNG)
    assert "no-such-program" in caplog.text


def test_nothing_is_started_before_it_is_needed() -> None:
    assert all(helper._process is None for helper in Decoders()._helpers)
