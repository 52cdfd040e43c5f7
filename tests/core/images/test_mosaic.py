"""Pictures side by side, pixel by pixel; titles by where they are drawn; and the codes of traversals and planes."""

import numpy as np
import pytest

from vae_core.errors import InputError
from vae_core.images import mosaic
from vae_core.images.mosaic import CLEAR, check_size, grid, montage, sheet
from vae_core.images.pixels import enlarge
from vae_core.latent.traversals import axis_vector, plane_codes, traversal_codes


def flat(*levels: int, height: int = 1, width: int = 1) -> np.ndarray:
    """Even grey pictures, [n, height, width, 1]."""
    return np.array(levels, np.uint8)[:, None, None, None].repeat(height, 1).repeat(width, 2)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


# --- montages ------------------------------------------------------------------------------------------------


def test_a_montage_goes_row_by_row_with_gaps_between_and_none_around() -> None:
    whole = montage(flat(1, 2, 3, 4, 5), columns=3, gap=1, background=(9,))
    assert whole[:, :, 0].tolist() == [[1, 9, 2, 9, 3], [9, 9, 9, 9, 9], [4, 9, 5, 9, 9]]
    assert whole.dtype == np.uint8
    assert montage(flat(1, 2), gap=0, columns=1)[:, :, 0].tolist() == [[1], [2]]
    assert montage(flat(1, 2), gap=0, columns=5)[:, :, 0].tolist() == [[1, 2]], "no room for what is not there"


@pytest.mark.parametrize(
    ("count", "height", "width", "rows_columns"),
    [(1, 1, 1, (1, 1)), (9, 1, 1, (3, 3)), (10, 1, 1, (3, 4)), (8, 1, 2, (4, 2)), (8, 2, 1, (2, 4)), (3, 9, 1, (1, 3))],
)
def test_a_montage_is_nearly_square(count: int, height: int, width: int, rows_columns: tuple[int, int]) -> None:
    whole = montage(noise(count, height, width, 1), gap=0)
    assert whole.shape == (rows_columns[0] * height, rows_columns[1] * width, 1)


def test_a_ground_with_more_channels_converts_the_pictures() -> None:
    clear = montage(flat(7, 8), columns=2, background=CLEAR)
    assert clear.tolist() == [[[7, 7, 7, 255], [0, 0, 0, 0], [8, 8, 8, 255]]]
    assert montage(flat(7, 8), columns=2, background=(1, 2, 3)).tolist() == [[[7, 7, 7], [1, 2, 3], [8, 8, 8]]]
    colour = np.array([[[[1, 2, 3]]], [[[4, 5, 6]]]], np.uint8)
    assert montage(colour, columns=2, background=(9,)).tolist() == [[[1, 2, 3], [9, 9, 9], [4, 5, 6]]]
    assert montage(colour, columns=2, background=CLEAR)[0, 0].tolist() == [1, 2, 3, 255]


def test_a_montage_of_nothing_or_with_senseless_measures_is_refused() -> None:
    for arguments in ({"columns": 0}, {"gap": -1}):
        with pytest.raises(InputError, match="at least 1 picture, 1 column and a gap of 0, got 2 pictures"):
            montage(flat(1, 2), **arguments)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="got 0 pictures"):
        montage(np.zeros((0, 2, 2, 1), np.uint8))
    for background in ((), (1, 2), (256,), (-1, 0, 0)):
        with pytest.raises(InputError, match=r"a background has 1, 3 or 4 levels from 0 to 255, got \("):
            montage(flat(1), background=background)


def test_pictures_that_become_too_large_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mosaic, "MAX_PIXELS", 12)
    check_size(3, 4)
    assert montage(flat(1, 2, 3, 4, 5, 6), columns=3, gap=0, background=(0,)).size == 6
    for draw in (
        lambda: check_size(13, 1),
        lambda: montage(flat(*range(6)), columns=3, gap=1),
        lambda: grid(noise(2, 2, 2, 2, 1)),
        lambda: sheet(noise(1, 1, 2, 2, 1), [""], [""], scale=2),
    ):
        with pytest.raises(InputError, match="at most 12 pixels, got"):
            draw()


def test_a_grid_has_no_gaps() -> None:
    images = noise(2, 3, 4, 5, 3)
    whole = grid(images)
    assert whole.shape == (8, 15, 3)
    assert np.array_equal(whole[4:8, 10:15], images[1, 2])
    assert np.array_equal(whole[0:4, 5:10], images[0, 1])
    with pytest.raises(InputError, match="at least 1 picture, got 0 rows of 3"):
        grid(images[:0])


# --- sheets --------------------------------------------------------------------------------------------------


def box(whole: np.ndarray, colour: tuple[int, ...]) -> tuple[int, int, int, int]:
    """First row and column, and the ones behind the last, of the pixels of that colour."""
    rows, columns = np.nonzero((whole == colour).all(axis=2))
    return int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1


def test_a_sheet_without_titles_is_a_table_of_enlarged_pictures() -> None:
    images = flat(10, 20, 30, 40, 50, 60, height=2, width=3).reshape(2, 3, 2, 3, 1)
    whole = sheet(images, ["", ""], ["", "", ""], scale=2, gap=1, background=(255,))
    assert np.array_equal(whole, montage(enlarge(images.reshape(6, 2, 3, 1), 2), columns=3, gap=1, background=(255,)))


def test_a_sheet_s_titles_stand_left_of_their_rows_and_above_their_columns() -> None:
    images = flat(60, 90, 120, 150, height=8, width=8).reshape(2, 2, 8, 8, 1)
    plain = sheet(images, ["", ""], ["", ""], scale=8)
    whole = sheet(images, ["first row\n1.23 nats", "second"], ["-1.00", "+1.00"], scale=8)
    top, left = (whole.shape[axis] - plain.shape[axis] for axis in (0, 1))
    assert np.array_equal(whole[top:, left:], plain), "titles take no room from the pictures"
    for row in range(2):
        ink = whole[top + row * 66 : top + row * 66 + 64, :left, 0] < 100
        rows, columns = np.nonzero(ink)
        assert 8 <= np.ptp(columns) < left - 2 * mosaic.PADDING + 1, "letters of 14 pixels, and nothing at the edge"
        assert abs((rows.min() + rows.max()) / 2 - 32) < 4, "in the middle of its row"
        assert left - columns.max() == pytest.approx(mosaic.PADDING, abs=2)
    for column in range(2):
        ink = whole[:top, left + column * 66 : left + column * 66 + 64, 0] < 100
        _, columns = np.nonzero(ink)
        assert abs((columns.min() + columns.max()) / 2 - 32) < 3, "in the middle of its column"
    assert (whole[:top, :left] == 255).all(), "the corner is empty"


def test_cells_grow_with_titles_that_are_larger_than_pictures() -> None:
    red, blue = (200, 0, 0), (0, 0, 200)
    images = np.array([[red, blue]], np.uint8)[:, :, None, None].repeat(4, 2).repeat(4, 3)
    whole = sheet(images, ["several\nlines\nof text"], ["a long title", "another one"], scale=1)
    top, left, bottom, right = box(whole, red)
    assert (bottom - top, right - left) == (4, 4)
    assert box(whole, blue)[0] == top
    assert box(whole, blue)[1] - left > 70, "titles do not run into each other"
    assert whole.shape[0] > 60, "nor out of the sheet"


@pytest.mark.parametrize(("background", "ink"), [((255,), 0), ((0,), 255), ((250, 240, 230), 0), ((20, 20, 30), 255)])
def test_ink_is_told_from_its_ground(background: tuple[int, ...], ink: int) -> None:
    whole = sheet(flat(128).reshape(1, 1, 1, 1, 1), ["HHH"], [""], background=background)
    assert whole.shape[2] == len(background)
    assert (whole == ink).all(axis=2).any()


def test_pictures_are_at_least_64_pixels_high_unless_told_otherwise() -> None:
    for side, expected in ((28, 84), (64, 64), (100, 100)):
        assert sheet(noise(1, 1, side, side, 1), [""], [""]).shape == (expected, expected, 1)


def test_letters_that_the_font_lacks_lose_their_accents_or_become_question_marks() -> None:
    images = noise(1, 1, 2, 2, 1)
    for title, drawn in (("Größe é −1", "Gro?e e -1"), ("σ 数", "? ?"), ("a\tb", "a?b")):
        assert np.array_equal(sheet(images, [title], [""]), sheet(images, [drawn], [""]))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"row_titles": ["a"]}, "1 and 3 titles"),
        ({"column_titles": ["a", "b"]}, "2 and 2 titles"),
        ({"images": noise(2, 0, 4, 4, 1), "column_titles": []}, "2 rows of 0 pictures"),
        ({"images": noise(2, 3, 4, 4, 4)}, "an opaque ground of 1 or 3 channels, got 4"),
        ({"background": CLEAR}, "an opaque ground of 1 or 3 channels, got 4"),
        ({"scale": 0}, "at least 1, got 0"),
    ],
)
def test_sheets_that_cannot_be_drawn_are_refused(changed: dict[str, object], message: str) -> None:
    arguments = {"images": noise(2, 3, 4, 4, 1), "row_titles": ["", ""], "column_titles": ["", "", ""]} | changed
    with pytest.raises(InputError, match=message):
        sheet(**arguments)  # type: ignore[arg-type]


# --- codes to decode -----------------------------------------------------------------------------------------

Z = np.array([1, 2, 3], np.float32)


def test_a_traversal_sets_one_dimension_a_row() -> None:
    codes = traversal_codes(Z, [2, 0], np.array([-3.0, 0.0]))
    assert codes.tolist() == [[[1, 2, -3], [1, 2, 0]], [[-3, 2, 3], [0, 2, 3]]]
    assert codes.dtype == np.float32
    assert Z.tolist() == [1, 2, 3]


def test_a_plane_lies_as_on_a_map() -> None:
    first, second = np.array([1.0, 0, 0]), np.array([0.0, 0.5, 1])
    codes = plane_codes(Z, first, second, np.array([-1.0, 0, 2]), np.array([-2.0, 4]))
    assert codes.shape == (2, 3, 3)
    assert codes.dtype == np.float32
    assert codes[0].tolist() == [[0, 4, 7], [1, 4, 7], [3, 4, 7]], "upwards on top"
    assert codes[1].tolist() == [[0, 1, 1], [1, 1, 1], [3, 1, 1]]


def test_a_plane_of_two_dimensions_takes_the_amounts_as_their_values() -> None:
    z = np.array([0, 5, 0], np.float32)
    codes = plane_codes(z, axis_vector(2, 3), axis_vector(0, 3), np.array([1.0, 2]), np.array([3.0, 4]))
    assert codes.tolist() == [[[4, 5, 1], [4, 5, 2]], [[3, 5, 1], [3, 5, 2]]]


def test_traversals_and_planes_of_nothing_are_refused() -> None:
    values = np.array([0.0, 1])
    for dimensions, given in (([], values), ([0], values[:0])):
        with pytest.raises(InputError, match="at least 1 dimension and 1 value"):
            traversal_codes(Z, dimensions, given)
    for dimension in (-1, 3):
        with pytest.raises(InputError, match=f"from 0 to 2 for this code, got {dimension}"):
            traversal_codes(Z, [0, dimension], values)
        with pytest.raises(InputError, match=f"from 0 to 2 for this code, got {dimension}"):
            axis_vector(dimension, 3)
    for amounts in (values[:0], values[::-1]):
        with pytest.raises(InputError, match="must ascend, at least 1, got"):
            plane_codes(Z, Z, Z, values, amounts)
        with pytest.raises(InputError, match="must ascend, at least 1, got"):
            plane_codes(Z, Z, Z, amounts, values)


def test_codes_that_are_not_finite_are_refused() -> None:
    bad = np.array([0.0, np.nan, 1])
    for make in (
        lambda: traversal_codes(bad, [0], Z),
        lambda: traversal_codes(Z, [0], bad),
        lambda: plane_codes(Z, bad, Z, Z, Z),
        lambda: plane_codes(Z, Z, Z, Z, bad),
    ):
        with pytest.raises(InputError, match="must be finite"):
            make()
