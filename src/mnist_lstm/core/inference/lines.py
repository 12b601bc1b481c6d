"""Finds the printed lines of a form, a table or ruled paper, which are no part of the digit.

A line is straight, runs from edge to edge and is turned by two degrees at most. It counts only if what remains without
it can be a digit: a tightly cut 7 has a line along its edge, too, but the rest of the 7 reaches the other edge.
Strokes that cross a line survive, as in the removal of staff lines from sheet music: of the ink on a line, only short
runs across it belong to it. Source: Dalitz et al. 2008, doi:10.1109/TPAMI.2007.70749.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]  # (height, width), true where there is ink

COVERED = 0.85  # fraction of its length on which a line has ink
STEEPEST = 0.035  # pixels down for each pixel across
SLOPES = 41  # at most, between the steepest two
THICKEST = 0.12  # of the side across the line
SMALLEST = 0.15  # of the longer side of the picture: what remains is at least as long
ROOM = 0.05  # of the side along a line that is the only one: on both sides of what remains
SPECK = 0.03  # fraction of the size of the largest part; smaller parts are dust
FRAMES = 3  # around each other, at most


class Lines(NamedTuple):
    """The horizontal lines in a mask."""

    ink: Mask  # the pixels of the lines, without those of strokes that cross them
    number: int  # of lines
    ends: tuple[bool, bool]  # whether there is a line along the first and along the last row


def printed_lines(inside: Mask) -> Mask:
    """The ink that belongs to lines across the picture, or to frames around the rest of the ink."""
    found = np.zeros_like(inside)
    if inside.any(axis=0).mean() >= COVERED or inside.any(axis=1).mean() >= COVERED:
        across, down, lines = _lines(inside)
        if across.number + down.number > 1 and _remains(inside & ~lines, (0, 0)):
            found |= lines
        elif across.number + down.number == 1:
            found |= _single(inside, lines) if across.number else _single(inside.T, lines.T).T
    for _ in range(FRAMES):
        if not (frame := _frame(inside & ~found)).any():
            break
        found |= frame
    return found


def _single(inside: Mask, line: Mask) -> Mask:
    """The only line, a horizontal one, unless it may be the bar of a 7 or the like."""
    main = without_specks(inside & ~line)
    tall = main.any() and np.ptp(np.flatnonzero(main.any(axis=1))) >= SMALLEST * max(inside.shape)
    apart = not (near(main) & line).any()
    return line & ((tall or apart) and _remains(main, (0, int(ROOM * inside.shape[1]))))


def without_specks(inside: Mask) -> Mask:
    """The connected parts that have not small, relative to the largest."""
    from scipy import ndimage  # the import takes 0.2 s, which only predictions need

    parts, _ = ndimage.label(inside, np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return (sizes >= SPECK * sizes.max())[parts] & inside  # type: ignore[no-any-return]


def near(inside: Mask) -> Mask:
    """The ink and the pixels next to it."""
    from scipy import ndimage

    return ndimage.binary_dilation(inside, np.ones((3, 3)))  # type: ignore[no-any-return]


def box_of(inside: Mask) -> tuple[slice, slice]:
    """The rows and columns from the first to the last pixel of ink, of which there is at least one."""
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    return np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _frame(inside: Mask) -> Mask:
    """Lines along all four sides of the box of the ink, if there is ink inside."""
    found = np.zeros_like(inside)
    if not (main := without_specks(inside)).any():
        return found
    box = box_of(main)
    ink = inside[box]
    sides = (ink[:depth] for ink in (ink, ink[::-1], ink.T, ink.T[::-1]) for depth in [1 + int(THICKEST * len(ink))])
    if all(side.any(axis=0).mean() >= COVERED for side in sides):
        across, down, lines = _lines(ink)
        if all(across.ends + down.ends) and _remains(ink & ~lines, (0, 0)):
            found[box] = lines
    return found


def _lines(inside: Mask) -> tuple[Lines, Lines, Mask]:
    """The horizontal and the vertical lines, and the ink of both."""
    across = _horizontal(inside, inside)
    down = _horizontal(inside.T, (inside & ~across.ink).T)
    return across, down, across.ink | down.ink.T


def _remains(rest: Mask, rooms: tuple[int, int]) -> bool:
    """Whether the ink without lines can be a digit: large enough, and with more free rows and columns than `rooms`."""
    main = without_specks(rest)
    if not main.any():
        return False
    box = box_of(main)
    free = all(
        side.start > room and side.stop < length - room
        for side, room, length in zip(box, rooms, rest.shape, strict=True)
    )
    return free and max(side.stop - side.start for side in box) >= SMALLEST * max(rest.shape)


def _horizontal(inside: Mask, removable: Mask) -> Lines:
    """The horizontal lines in the ink, all turned by the same angle.

    Args:
        inside: the ink, (height, width).
        removable: the part of it that `Lines.ink` may hold.
    """
    from scipy import ndimage

    height, width = inside.shape
    most = max(1, round(STEEPEST * width))
    drifts = np.unique(np.linspace(-most, most, SLOPES).round())
    drift = max(drifts, key=lambda drift: np.square(_along(inside, drift, most)[0]).sum())  # the sharpest lines
    ink, within, shift = _along(ndimage.binary_dilation(inside, np.ones((3, 1))), drift, most)
    groups, _ = ndimage.label(ink >= COVERED * np.maximum(within, width / 2))
    lines = [group for (group,) in ndimage.find_objects(groups) if group.stop - group.start - 2 <= THICKEST * height]
    if not lines:
        return Lines(np.zeros_like(inside), 0, (False, False))
    half = int(np.abs(shift).max())
    ends = (lines[0].start <= most + half + 1, lines[-1].stop >= most + height - half - 1)
    on_line, at_end = np.zeros(len(ink), bool), np.zeros(len(ink), bool)
    for line in lines:
        on_line[line] = True
    if ends[0]:
        at_end[: lines[0].stop] = True
    if ends[1]:
        at_end[lines[-1].start :] = True
    thickest = max(line.stop - line.start for line in lines) - 2
    short = removable & ~ndimage.binary_opening(removable, np.ones((int(1.5 * thickest) + 3, 1)))
    position = np.arange(height)[:, None] - shift + most  # (height, width)
    return Lines(removable & at_end[position] | short & on_line[position], len(lines), ends)


def _along(inside: Mask, drift: float, most: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The pixels along each line that goes down by `drift` rows from the first column to the last.

    Returns:
        The pixels of ink and all pixels inside the picture, for each row that the line can have in the middle column,
        from `-most` to `height + most`; and the rows, (width,), by which it is lower in each column.
    """
    height, width = inside.shape
    shift = np.rint(drift * (np.arange(width) / width - 0.5)).astype(np.int64)
    rows, columns = np.nonzero(inside)
    length = height + 2 * most
    ink = np.bincount(rows - shift[columns] + most, minlength=length)
    starts = np.bincount(most - shift, minlength=length)
    within = np.cumsum(starts - np.concatenate([np.zeros(height, np.int64), starts[:-height]]))
    return ink, within, shift
