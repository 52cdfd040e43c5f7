"""Frames as files: GIF, WebP, MP4, a strip of pictures, and the codes they were decoded from.

Frames are uint8, [frame, height, width, channel], with 1 channel (grey) or 3 (colour). Everything is made in memory:
what stops half way leaves no file. `progress` is told (frame, frames) before each frame, counted from 1; what it
raises stops the export and reaches the caller.

Only `to_mp4` needs PyAV. PyAV itself has the BSD licence, but its wheels contain FFmpeg with libx264, which has the GPL
(version 2 or later): whoever passes on an installed copy of this project with them does so under the GPL's terms.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from io import BytesIO

import numpy as np
from jaxtyping import Float, Int, UInt8
from PIL import GifImagePlugin, Image

from vae_core.errors import InputError
from vae_core.images.mosaic import check_size, montage
from vae_core.images.pixels import enlarge, to_pillow, to_png

__all__ = [
    "GIF_DELAYS",
    "MAX_FPS",
    "MAX_FRAMES",
    "MAX_FRAME_SIDE",
    "gif_fps",
    "to_gif",
    "to_mp4",
    "to_npz",
    "to_strip",
    "to_webp",
]

MAX_FRAMES = 4_000  # more than a minute at the highest rate
MAX_FRAME_SIDE = 2_048  # pixels, after scaling
MAX_FPS = 60  # frames a second: most displays' own rate

GIF_DELAYS = range(2, 101)  # hundredths of a second; browsers play a delay below 2 as 10
PALETTE_PIXELS = 2**20  # that a colour GIF's palette is made from, spread over all frames
# The smallest lossless files: 40 faces of 256 x 256 take 313 kB and 0.5 s, by method 0 505 kB and 0.1 s, by method 4
# 379 kB and 1.2 s.
WEBP_METHOD = 1
# Finer than the 18 that FFmpeg's "H.264 Encoding Guide" calls visually lossless; such pictures take little room.
H264_OPTIONS = {"crf": "16", "preset": "medium"}
BT709 = 1  # ITU-T H.273: primaries, transfer and matrix of code 1; what players assume differs with a video's size
LIMITED_RANGE = 1  # FFmpeg's AVCOL_RANGE_MPEG: 16 to 235

Frames = UInt8[np.ndarray, "n height width channel"]
Progress = Callable[[int, int], None] | None


def gif_fps(fps: float) -> float:
    """The rate at which `to_gif` plays what is asked for: the nearest that a GIF can have.

    Its delays are whole hundredths of a second, at least 2: exact are 100/k, so 50, 33.3, 25, 20, 16.7, ... and 1.

    Raises:
        InputError: The rate is not from 1 to `MAX_FPS`.
    """
    _check_rate(fps)
    return 100 / _gif_delay(fps)


def to_gif(frames: Frames, *, fps: float, loop: bool = True, scale: int = 1, progress: Progress = None) -> bytes:
    """The frames as a GIF, which plays at `gif_fps(fps)`.

    Grey frames keep every level. Colour frames share one palette of 256 colours, without dithering: a palette for each
    frame, or dither, would flicker where nothing moves.

    Args:
        frames: The pictures.
        fps: Frames a second.
        loop: For ever; otherwise once.
        scale: Side in pixels of the square that each pixel becomes.
        progress: See above.

    Raises:
        InputError: There are no frames or more than `MAX_FRAMES`, they have other than 1 or 3 channels, a side is over
            `MAX_FRAME_SIDE`, the scale is below 1, or the rate is not from 1 to `MAX_FPS`.
    """
    _check(frames, fps, scale)
    palette = _palette(frames) if frames.shape[3] == 3 else None
    milliseconds = 10 * _gif_delay(fps)
    file = BytesIO()
    for frame in _each(frames, progress):
        picture = to_pillow(frame)
        if palette is not None:
            picture = picture.quantize(palette=palette, dither=Image.Dither.NONE)
        large = _large(picture, scale)
        if not file.tell():
            info = {"duration": milliseconds} | ({"loop": 0} if loop else {})
            file.writelines(GifImagePlugin.getheader(large.copy(), None, info)[0])
        # One block a frame: Pillow's save_all keeps all frames in memory, and where they are the same it adds up
        # delays beyond the 655 s that fit into the file.
        file.writelines(GifImagePlugin.getdata(large, duration=milliseconds))
    file.write(b";")
    return file.getvalue()


def to_webp(frames: Frames, *, fps: float, loop: bool = True, scale: int = 1, progress: Progress = None) -> bytes:
    """The frames as an animated WebP, lossless; times are exact to half a millisecond.

    Equal frames in a row are stored as one that lasts longer; a single frame becomes a still picture.

    Args:
        frames: The pictures.
        fps: Frames a second.
        loop: For ever; otherwise once.
        scale: Side in pixels of the square that each pixel becomes.
        progress: See above.

    Raises:
        InputError: As `to_gif` does.
    """
    _check(frames, fps, scale)
    starts = np.rint(np.arange(len(frames) + 1) * 1000 / fps).astype(int)  # milliseconds
    pictures = (_large(to_pillow(frame), scale).convert("RGB") for frame in _each(frames, progress))
    file = BytesIO()
    _Reel(pictures, len(frames)).save(
        file,
        "WEBP",
        save_all=True,
        duration=np.diff(starts).tolist(),
        loop=0 if loop else 1,
        lossless=True,
        quality=75,  # of a lossless file: the effort
        method=WEBP_METHOD,
    )
    return file.getvalue()


def to_mp4(frames: Frames, *, fps: float, loops: int = 1, scale: int = 1, progress: Progress = None) -> bytes:
    """The frames as an MP4 that browsers and presentations play: H.264, yuv420p, BT.709, nearly lossless.

    An odd side grows by one pixel, a copy of the last. In yuv420p two by two pixels share their colour, though not
    their brightness: with an even scale they belong together.

    Args:
        frames: The pictures.
        fps: Frames a second.
        loops: How often they are shown; all of it counts as frames.
        scale: Side in pixels of the square that each pixel becomes.
        progress: See above.

    Raises:
        InputError: As `to_gif` does, or `loops` is below 1.
    """
    import av  # half a second to import, and only a video needs it

    if loops < 1:
        raise InputError(f"a video shows its frames at least once, got {loops} loops.")
    _check(frames, fps, scale, loops)
    rate = Fraction(fps).limit_denominator(1000)
    file = BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate, options=H264_OPTIONS)
        stream.height, stream.width = (side * scale + side * scale % 2 for side in frames.shape[1:3])
        stream.pix_fmt = "yuv420p"
        stream.colorspace = stream.color_primaries = stream.color_trc = BT709
        stream.color_range = LIMITED_RANGE
        for number, frame in enumerate(_each(frames, progress, loops)):
            pixels = _even(np.asarray(_large(to_pillow(frame), scale).convert("RGB")))
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture = picture.reformat(  # "AREA" averages four pixels' colour; the default shifts it
                format="yuv420p", dst_colorspace=BT709, dst_color_range=LIMITED_RANGE, interpolation="AREA"
            )
            picture.pts, picture.time_base = number, 1 / rate
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))  # what the encoder still holds
    return file.getvalue()


def to_strip(frames: Frames, *, columns: int | None = None, scale: int = 1, progress: Progress = None) -> bytes:
    """The frames side by side as a PNG, a pixel of the frames' apart.

    Args:
        frames: The pictures.
        columns: Frames in a row; None puts all in one.
        scale: Side in pixels of the square that each pixel becomes.
        progress: See above.

    Raises:
        InputError: As `to_gif` does, there is no column, or the whole has more pixels than a picture may have.
    """
    _check(frames, MAX_FPS, scale)
    strip = montage(np.stack(list(_each(frames, progress))), columns=len(frames) if columns is None else columns)
    check_size(strip.shape[0] * scale, strip.shape[1] * scale)
    return to_png(enlarge(strip, scale))


def to_npz(codes: Float[np.ndarray, "n d"], keyframes: Int[np.ndarray, " k"], *, fps: float) -> bytes:
    """The codes behind the frames for numpy, without pickles: codes [frame, latent], keyframes [keyframe], fps.

    Args:
        codes: One for each frame.
        keyframes: Which frames show the keyframes, from 0, ascending.
        fps: Frames a second.

    Raises:
        InputError: There are no codes or more than `MAX_FRAMES`, a keyframe is none of them or they do not ascend,
            or the rate is not from 1 to `MAX_FPS`.
    """
    _check_count(len(codes))
    _check_rate(fps)
    if len(keyframes) and (keyframes.min() < 0 or keyframes.max() >= len(codes) or (np.diff(keyframes) <= 0).any()):
        raise InputError(f"keyframes must ascend from 0 to {len(codes) - 1}, got {keyframes.tolist()}.")
    file = BytesIO()
    np.savez(file, allow_pickle=False, codes=codes, keyframes=keyframes, fps=np.array(float(fps)))
    return file.getvalue()


class _Reel(Image.Image):
    """Frames as one picture that Pillow steps through, so that each is made when its turn comes.

    Pillow's WebP writer would otherwise take a list of them all. It only ever goes forward, and back to the first at
    the end, where it does not look.
    """

    def __init__(self, pictures: Iterator[Image.Image], count: int) -> None:
        super().__init__()
        self._pictures, self._shown, self.n_frames = pictures, 0, count
        first = next(pictures)
        self.im, self._mode, self._size = first.im, first.mode, first.size

    def seek(self, frame: int) -> None:
        while self._shown < frame:
            self._shown += 1
            self.im = next(self._pictures).im


def _check(frames: Frames, fps: float, scale: int, loops: int = 1) -> None:
    _check_count(len(frames) * loops)
    _check_rate(fps)
    _, height, width, channels = frames.shape
    if channels not in (1, 3):
        raise InputError(f"frames must have 1 or 3 channels, got {channels}.")
    if scale < 1 or not 1 <= min(height, width) * scale <= max(height, width) * scale <= MAX_FRAME_SIDE:
        raise InputError(
            f"sides must be from 1 to {MAX_FRAME_SIDE:,} pixels after scaling by at least 1, got {width} x {height} "
            f"times {scale}; choose another scale."
        )


def _check_count(frames: int) -> None:
    if not 1 <= frames <= MAX_FRAMES:
        raise InputError(f"an animation has 1 to {MAX_FRAMES:,} frames, got {frames:,}; shorten the path or its loops.")


def _check_rate(fps: float) -> None:
    if not 1 <= fps <= MAX_FPS:
        raise InputError(f"an animation has 1 to {MAX_FPS} frames a second, got {fps}.")


def _gif_delay(fps: float) -> int:
    """Hundredths of a second."""
    return min(GIF_DELAYS, key=lambda delay: abs(100 / delay - fps))


def _palette(frames: Frames) -> Image.Image:
    """A picture with 256 colours that suit all frames."""
    step = -(-frames.size // (3 * PALETTE_PIXELS))
    some = frames[::step].reshape(-1, *frames.shape[2:])  # one below the other
    # On decoded faces as near as median cut (36.9 dB both), which takes seconds.
    return to_pillow(some).quantize(256, method=Image.Quantize.FASTOCTREE)


def _each(frames: Frames, progress: Progress, loops: int = 1) -> Iterator[np.ndarray]:
    """Frame by frame, [height, width, channel], all of it `loops` times."""
    for number in range(len(frames) * loops):
        if progress:
            progress(number + 1, len(frames) * loops)
        yield frames[number % len(frames)]


def _large(picture: Image.Image, scale: int) -> Image.Image:
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


def _even(pixels: np.ndarray) -> np.ndarray:
    """Pixels [height, width, channel] with even sides."""
    height, width, _ = pixels.shape
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
