"""Animations, each decoded again: frames, times and pixels."""

import struct
from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from tests.contracts import contract
from vae_core.errors import InputError
from vae_core.images import animation
from vae_core.images.animation import MAX_FRAMES, gif_fps, to_gif, to_mp4, to_npz, to_strip, to_webp
from vae_core.images.pixels import enlarge

Export = Callable[..., bytes]


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def smooth(frames: int, side: int, channels: int) -> np.ndarray:
    """Waves that move, such as a video holds."""
    y, x, t = np.meshgrid(*[np.linspace(0, 3, each) for each in (side, side, frames)], indexing="ij")
    waves = [np.sin(x * (channel + 1) + t) * np.cos(y - channel + t) for channel in range(channels)]
    return (127.5 + 127.5 * np.stack(waves, axis=-1)).astype(np.uint8).transpose(2, 0, 1, 3)


def decoded(data: bytes) -> tuple[np.ndarray, list[int], Image.Image]:
    """Frames in colour, how long each is shown in milliseconds, and the picture itself."""
    picture = Image.open(BytesIO(data))
    frames, times = [], []
    for frame in ImageSequence.Iterator(picture):
        frames.append(np.asarray(frame.convert("RGB")))
        times.append(frame.info.get("duration"))
    return np.stack(frames), times, picture


def decoded_video(data: bytes) -> tuple[np.ndarray, "av.VideoStream"]:
    """Frames in colour by the formula of ITU-R BT.709, limited range; the library's fast one is a level too dark."""
    with av.open(BytesIO(data)) as container:
        frames = [colours_of(frame.to_ndarray(), frame.height, frame.width) for frame in container.decode(video=0)]
        return np.stack(frames), container.streams.video[0]


def colours_of(yuv420p: np.ndarray, height: int, width: int) -> np.ndarray:
    luma, blue, red = np.split(yuv420p.ravel().astype(float), [height * width, height * width * 5 // 4])
    y = (luma.reshape(height, width) - 16) / 219
    u, v = ((each.reshape(height // 2, -1).repeat(2, 0).repeat(2, 1) - 128) / 224 for each in (blue, red))
    rgb = np.stack([y + 1.5748 * v, y - 0.1873 * u - 0.4681 * v, y + 1.8556 * u], axis=-1)
    return np.rint(255 * rgb.clip(0, 1)).astype(np.uint8)


def in_colour(frames: np.ndarray) -> np.ndarray:
    return np.broadcast_to(frames, (*frames.shape[:3], 3))


# --- GIF -----------------------------------------------------------------------------------------------------


def test_a_grey_gif_keeps_every_level_of_every_frame() -> None:
    frames = np.concatenate([np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1), noise(4, 16, 16, 1)])
    shown, times, picture = decoded(to_gif(frames, fps=25))
    assert np.array_equal(shown, in_colour(frames))
    assert times == [40] * 5
    assert picture.format == "GIF"


def test_a_gif_loops_for_ever_or_plays_once() -> None:
    frames = noise(2, 4, 4, 1)
    assert decoded(to_gif(frames, fps=10))[2].info["loop"] == 0
    assert "loop" not in decoded(to_gif(frames, fps=10, loop=False))[2].info


@pytest.mark.parametrize(("fps", "played"), [(case["fps"], case["rate"]) for case in contract("gif_rates")])
def test_a_gif_plays_at_the_nearest_rate_that_it_can_have_which_the_page_tells(fps: float, played: float) -> None:
    assert gif_fps(fps) == pytest.approx(played)
    _, times, _ = decoded(to_gif(noise(3, 4, 4, 1), fps=fps))
    assert times == [round(1000 / played)] * 3


def test_no_gif_is_played_nearer_to_what_was_asked_for_by_another_delay() -> None:
    for fps in np.linspace(1, 60, 119):
        nearest = min(abs(100 / delay - fps) for delay in range(2, 101))
        assert abs(gif_fps(fps) - fps) == pytest.approx(nearest)


def test_a_colour_gif_is_near_its_frames_and_does_not_flicker() -> None:
    frames = smooth(12, 24, 3)
    frames[:, 16:] = frames[0, 16:]  # where nothing moves, under what does: dither spreads downwards
    data = to_gif(frames, fps=20)
    shown, times, _ = decoded(data)
    assert len(shown) == len(times) == 12
    assert np.abs(shown.astype(int) - frames).mean() < 8
    assert (shown[:, 16:] == shown[0, 16:]).all()
    assert data[10] & 0x80, "a palette for all"
    assert data.count(b"\0\0\0\0\x18\0\x18\0\0\x08") == 12, "and no frame with one of its own"


def test_the_palette_is_made_from_all_of_a_long_animation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(animation, "PALETTE_PIXELS", 64 * 4)  # four frames of forty
    frames = np.zeros((40, 8, 8, 3), np.uint8)
    frames[20:, :, :, 0] = 255  # red in the second half alone
    shown, _, _ = decoded(to_gif(frames, fps=20))
    assert np.abs(shown.astype(int) - frames).max() <= 8


def test_frames_that_are_the_same_are_all_kept_in_a_gif() -> None:
    _, times, picture = decoded(to_gif(noise(1, 4, 4, 1).repeat(700, axis=0), fps=1))
    assert picture.n_frames == 700  # type: ignore[attr-defined]
    assert sum(times) == 700_000, "more than the 655 s that one delay can hold"


# --- WebP ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_a_webp_keeps_every_pixel(channels: int) -> None:
    frames = noise(7, 9, 11, channels)
    shown, _, picture = decoded(to_webp(frames, fps=30))
    assert picture.format == "WEBP"
    assert np.array_equal(shown, in_colour(frames))


@pytest.mark.parametrize("fps", [60, 30, 24, 7.5, 1])
def test_a_webp_never_runs_ahead_or_behind(fps: float) -> None:
    _, times, _ = decoded(to_webp(noise(61, 4, 4, 1), fps=fps))
    assert len(times) == 61
    assert np.abs(np.cumsum(times) - np.arange(1, 62) * 1000 / fps).max() <= 0.5


def test_a_webp_loops_for_ever_or_plays_once() -> None:
    frames = noise(2, 4, 4, 3)
    assert decoded(to_webp(frames, fps=10))[2].info["loop"] == 0
    assert decoded(to_webp(frames, fps=10, loop=False))[2].info["loop"] == 1


def test_equal_frames_of_a_webp_last_as_long_as_all_of_them() -> None:
    shown, times, _ = decoded(to_webp(noise(2, 4, 4, 1)[[0, 0, 0, 1]], fps=10))
    assert sum(times) == 400
    assert times[-1] == 100
    assert np.array_equal(shown[-1], in_colour(noise(2, 4, 4, 1))[1])


def test_a_webp_of_one_frame_is_a_still_picture() -> None:
    shown, _, picture = decoded(to_webp(noise(1, 4, 4, 3), fps=10))
    assert not picture.is_animated  # type: ignore[attr-defined]
    assert np.array_equal(shown, noise(1, 4, 4, 3))


# --- MP4 -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("channels", "tolerance"), [(1, 1.5), (3, 2.5)])
def test_a_video_is_near_its_frames(channels: int, tolerance: float) -> None:
    frames = smooth(20, 32, channels)
    shown, _ = decoded_video(to_mp4(frames, fps=25, scale=2))
    assert shown.shape == (20, 64, 64, 3)
    errors = shown.astype(int) - enlarge(in_colour(frames), 2)
    assert np.abs(errors).mean() < tolerance
    assert np.abs(errors.mean(axis=(0, 1, 2))).max() < 0.5, "no colour is off, as by a wrong matrix it would be"


def test_a_video_is_one_that_browsers_play() -> None:
    data = to_mp4(smooth(5, 16, 3), fps=25)
    _, stream = decoded_video(data)
    assert data[4:8] == b"ftyp"
    assert stream.codec_context.name == "h264"
    assert stream.codec_context.pix_fmt == "yuv420p"
    context = stream.codec_context
    assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (1, 1, 1, 1)


@pytest.mark.parametrize(("fps", "rate"), [(60, Fraction(60)), (30, Fraction(30)), (12.5, Fraction(25, 2)), (1, 1)])
def test_a_video_has_exactly_its_rate(fps: float, rate: Fraction) -> None:
    shown, stream = decoded_video(to_mp4(smooth(9, 16, 1), fps=fps))
    assert len(shown) == stream.frames == 9
    assert stream.average_rate == rate
    assert stream.duration is not None
    assert stream.time_base is not None
    assert stream.duration * stream.time_base == 9 / rate


def test_a_video_repeats_its_frames() -> None:
    frames = smooth(4, 16, 1)
    frames[0] = 255
    shown, _ = decoded_video(to_mp4(frames, fps=10, loops=3))
    assert len(shown) == 12
    white = [number for number, frame in enumerate(shown) if frame.mean() > 240]
    assert white == [0, 4, 8]


@pytest.mark.parametrize(("height", "width", "scale"), [(15, 17, 1), (5, 8, 3), (1, 1, 1)])
def test_odd_sides_grow_by_a_copy_of_the_last_pixels(height: int, width: int, scale: int) -> None:
    frames = smooth(3, 17, 1)[:, :height, :width]
    shown, _ = decoded_video(to_mp4(frames, fps=10, scale=scale))
    tall, wide = height * scale, width * scale
    assert shown.shape[1:3] == (tall + tall % 2, wide + wide % 2)
    assert np.abs(shown[:, :tall, :wide].astype(int) - enlarge(in_colour(frames), scale)).mean() < 3
    assert np.abs(shown[:, -1, -1].astype(int) - in_colour(frames)[:, -1, -1]).max() < 16


# --- strips and codes ----------------------------------------------------------------------------------------


def test_a_strip_lays_the_frames_side_by_side() -> None:
    frames = noise(3, 2, 2, 3)
    strip = np.asarray(Image.open(BytesIO(to_strip(frames))))
    assert strip.shape == (2, 8, 3)
    for number, left in enumerate((0, 3, 6)):
        assert np.array_equal(strip[:, left : left + 2], frames[number])
    rows = np.asarray(Image.open(BytesIO(to_strip(frames, columns=2, scale=3))))
    assert rows.shape == (15, 15, 3)
    assert np.array_equal(rows[9:, :6], enlarge(frames[2], 3))


def test_a_strip_that_becomes_too_large_is_refused() -> None:
    with pytest.raises(InputError, match="at most 50,000,000 pixels, got 122,000 x 2,000"):
        to_strip(np.zeros((41, 2, 2, 1), np.uint8), scale=1000)


def test_codes_come_back_with_their_keyframes() -> None:
    codes = np.random.default_rng(0).standard_normal((10, 3)).astype(np.float32)
    with np.load(BytesIO(to_npz(codes, np.array([0, 4, 9]), fps=24)), allow_pickle=False) as stored:
        assert set(stored) == {"codes", "keyframes", "fps"}
        assert np.array_equal(stored["codes"], codes)
        assert stored["codes"].dtype == np.float32
        assert stored["keyframes"].tolist() == [0, 4, 9]
        assert float(stored["fps"]) == 24


@pytest.mark.parametrize("keyframes", [[0, 10], [-1, 4], [4, 4], [5, 2]])
def test_keyframes_that_are_no_frames_are_refused(keyframes: list[int]) -> None:
    with pytest.raises(InputError, match="must ascend from 0 to 9, got"):
        to_npz(np.zeros((10, 3), np.float32), np.array(keyframes), fps=24)


# --- what they share -----------------------------------------------------------------------------------------

ANIMATIONS = [to_gif, to_webp, to_mp4]


@pytest.mark.parametrize("export", [to_gif, to_webp])
def test_scaled_pixels_become_squares(export: Export) -> None:
    frames = noise(3, 4, 5, 1)
    shown, _, _ = decoded(export(frames, fps=10, scale=7))
    assert np.array_equal(shown, in_colour(enlarge(frames, 7)))


@pytest.mark.parametrize("export", [*ANIMATIONS, to_strip])
def test_progress_is_told_of_each_frame_and_can_stop_the_export(
    export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    told: list[tuple[int, int]] = []
    rate = {} if export is to_strip else {"fps": 10}
    export(noise(6, 8, 8, 3), **rate, progress=lambda number, count: told.append((number, count)))
    assert told == [(number, 6) for number in range(1, 7)]

    class Stopped(Exception):  # noqa: N818 -- what a page raises
        pass

    def stop(number: int, count: int) -> None:
        told.append((number, count))
        if number == 3:
            raise Stopped

    told.clear()
    with pytest.raises(Stopped):
        export(noise(6, 8, 8, 3), **rate, progress=stop)
    assert told == [(1, 6), (2, 6), (3, 6)], "nothing is done after it"
    assert list(tmp_path.iterdir()) == []


def test_progress_of_a_video_counts_its_loops() -> None:
    told: list[tuple[int, int]] = []
    to_mp4(noise(2, 8, 8, 1), fps=10, loops=3, progress=lambda number, count: told.append((number, count)))
    assert told == [(number, 6) for number in range(1, 7)]


@pytest.mark.parametrize("export", ANIMATIONS)
@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((0, 4, 4, 1), {}, "1 to 4,000 frames, got 0"),
        ((MAX_FRAMES + 1, 1, 1, 1), {}, "1 to 4,000 frames, got 4,001"),
        ((2, 4, 4, 2), {}, "1 or 3 channels, got 2"),
        ((2, 4, 4, 4), {}, "1 or 3 channels, got 4"),
        ((2, 1, 2049, 1), {}, "from 1 to 2,048 pixels after scaling"),
        ((2, 4, 129, 1), {"scale": 16}, "got 129 x 4 times 16"),
        ((2, 0, 4, 1), {}, "got 4 x 0 times 1"),
        ((2, 4, 4, 1), {"scale": 0}, "got 4 x 4 times 0"),
        ((2, 4, 4, 1), {"fps": 0.5}, "1 to 60 frames a second, got 0.5"),
        ((2, 4, 4, 1), {"fps": 61}, "1 to 60 frames a second, got 61"),
        ((2, 4, 4, 1), {"fps": float("nan")}, "1 to 60 frames a second, got nan"),
    ],
)
def test_what_makes_no_animation_is_refused(
    export: Export, shape: tuple[int, ...], options: dict[str, float], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        export(np.zeros(shape, np.uint8), **({"fps": 10} | options))


def test_other_limits_hold_too() -> None:
    frames = np.zeros((2, 4, 4, 1), np.uint8)
    with pytest.raises(InputError, match="at least once, got 0 loops"):
        to_mp4(frames, fps=10, loops=0)
    with pytest.raises(InputError, match="1 to 4,000 frames, got 4,002"):
        to_mp4(frames, fps=10, loops=2001)
    with pytest.raises(InputError, match="1 to 4,000 frames, got 0"):
        to_strip(frames[:0])
    with pytest.raises(InputError, match="1 column"):
        to_strip(frames, columns=0)
    with pytest.raises(InputError, match="1 to 60 frames a second, got 0"):
        to_npz(np.zeros((2, 3), np.float32), np.array([0]), fps=0)
    with pytest.raises(InputError, match="1 to 60 frames a second, got 90"):
        gif_fps(90)


def test_the_largest_animation_is_made() -> None:
    frames = np.zeros((1, 2, 2, 1), np.uint8)
    assert decoded(to_gif(frames, fps=60, scale=1024))[0].shape == (1, 2048, 2048, 3)
    many = np.arange(MAX_FRAMES, dtype=np.uint16).view(np.uint8).reshape(MAX_FRAMES, 1, 2, 1)
    data = to_gif(many, fps=50)
    assert data.count(struct.pack("<BBBBHBB", 0x21, 0xF9, 4, 0, 2, 0, 0)) == MAX_FRAMES
