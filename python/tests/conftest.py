"""Pictures that tests share, and the table of agreement that is printed at the end."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Tuple, TypeVar

import cv2
import lyncean as ly
import numpy as np
import pytest
from numpy.typing import NDArray

Array = NDArray[Any]
Row = Tuple[str, str, str, str]

# IPP shifts bicubic by one and magnitudes by units in the last place: docs/agreement.md.
cv2.ipp.setUseIPP(False)
cv2.setNumThreads(1)

ROOT = Path(__file__).resolve().parents[2]

_ROWS: Dict[Row, None] = {}


class Agreement:
    """Compares with a peer, and notes what was found for the table."""

    def __init__(self, ops: Tuple[str, ...]) -> None:
        self._ops = ops
        self.noted: List[str] = []

    def _note(self, op: str, types: str, peer: str, verdict: str) -> None:
        assert op in self._ops, f"`{op}` is not among those that the test says it compares: {self._ops}"
        self.noted.append(op)
        _ROWS[op, types, peer, verdict] = None

    def exact(self, op: str, peer: str, ours: Any, theirs: Any, types: str = "") -> None:
        """The same values; of masks `True` is 255."""
        ours, theirs = _plain(ours), _plain(theirs)
        self._note(op, types or _type(ours), peer, "exact")
        np.testing.assert_array_equal(ours, theirs, err_msg=f"{op} {types} beside {peer}")

    def within(self, op: str, peer: str, bound: float, ours: Any, theirs: Any, types: str = "") -> None:
        """No value farther away than the bound."""
        if bound == 0:
            return self.exact(op, peer, np.asarray(ours, float), np.asarray(theirs, float), types)
        ours, theirs = _plain(ours).astype(np.float64), _plain(theirs).astype(np.float64)
        assert ours.shape == theirs.shape, f"{op}: {ours.shape}, {peer} {theirs.shape}"
        largest = float(np.abs(ours - theirs).max(initial=0.0))
        self._note(op, types, peer, f"within {bound:g}")
        assert largest <= bound, f"{op} {types} beside {peer}: {largest} apart, at most {bound} is told"

    def differs(self, op: str, peer: str, why: str, types: str = "all") -> None:
        """Different on purpose."""
        self._note(op, types, peer, f"differs: {why}")


def _plain(array: Any) -> Array:
    array = np.asarray(array)
    return np.where(array, 255, 0).astype(np.uint8) if array.dtype == bool else array


def _type(array: Array) -> str:
    return f"{array.dtype} colour" if array.ndim == 3 else str(array.dtype)


#: What each test compares, and operations that have no peer, with the reason.
COVERED: Dict[str, List[str]] = {}

Test = TypeVar("Test", bound=Callable[..., Any])


def compares(*ops: str) -> Callable[[Test], Test]:
    """Says which operations a test compares with a peer."""

    def mark(test: Test) -> Test:
        for op in ops:
            COVERED.setdefault(op, []).append(test.__name__)
        marked: Test = pytest.mark.compares(*ops)(test)
        return marked

    return mark


@pytest.fixture
def agreement(request: pytest.FixtureRequest) -> Iterator[Agreement]:
    """The notes of one test; it must have compared all that it says it compares."""
    marker = request.node.get_closest_marker("compares")
    assert marker is not None, "say what is compared: `@compares(...)`"
    notes = Agreement(marker.args)
    yield notes
    report = getattr(request.node, "told", None)
    if report is not None and report.passed and not hasattr(request.node, "callspec"):
        assert set(notes.noted) == set(marker.args), "operations that were not compared"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome: Any = yield
    if call.when == "call":
        item.told = outcome.get_result()  # type: ignore[attr-defined]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "compares(*ops): the operations that are compared with a peer")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not _ROWS:
        return
    terminalreporter.section("agreement")
    # One line for all types of an operation that agree with one peer in one way.
    lines: Dict[Tuple[str, str, str], List[str]] = {}
    for op, types, peer, verdict in _ROWS:
        lines.setdefault((op, peer, verdict), []).append(types)
    cells = [
        (op, ", ".join(t for t in types if t), peer, verdict) for (op, peer, verdict), types in lines.items()
    ]
    cells.sort(key=lambda row: row[0])
    widths = [max(len(row[at]) for row in cells) for at in range(3)]
    for row in cells:
        terminalreporter.write_line(
            "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0])).rstrip()
        )
    terminalreporter.write_line(f"{len({row[0] for row in cells})} operations")


def crop(picture: Array, x: int, y: int, width: int, height: int) -> Array:
    """A part of a picture, with rows of its own."""
    return np.ascontiguousarray(picture[y : y + height, x : x + width])


def _pictures() -> Dict[str, Array]:
    camera, astronaut, coins = ly.builtin("camera"), ly.builtin("astronaut"), ly.builtin("coins")
    gray = crop(camera, 83, 41, 61, 47)
    rgb = crop(astronaut, 71, 33, 53, 41)
    low = crop(camera, 11, 7, 61, 47).astype(np.uint16)
    return {
        "gray8": gray,
        "other8": crop(coins, 103, 91, 61, 47),
        "rgb8": rgb,
        "gray16": gray.astype(np.uint16) * 251 + low,
        "rgb16": rgb.astype(np.uint16) * 251 + crop(astronaut, 11, 93, 53, 41),
        "f32": gray.astype(np.float32) / np.float32(255),
        "rgbf32": rgb.astype(np.float32) / np.float32(255),
    }


@pytest.fixture(scope="session")
def pictures() -> Dict[str, Array]:
    """Crops of real pictures at odd places and sizes, by type."""
    return _pictures()


@pytest.fixture(scope="session")
def coins() -> Array:
    """24 coins on an uneven background."""
    return ly.builtin("coins")


@pytest.fixture(scope="session")
def parts(coins: Array) -> Array:
    """A mask of many parts with holes, some at the edge."""
    smooth = cv2.GaussianBlur(coins[3:210, 11:372].copy(), (5, 5), 0)
    mask = cv2.adaptiveThreshold(smooth, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 61, -8)
    return np.asarray(mask > 0)


BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "replicate": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT,
    "reflect-101": cv2.BORDER_REFLECT_101,
}

WHITE = {"uint8": 255, "uint16": 65535, "float32": 1}


def rounded(values: Array, like: Array) -> Array:
    """The nearest value of the type, ties to even."""
    if like.dtype == np.float32:
        return values.astype(np.float32)
    return np.clip(np.rint(values), 0, WHITE[like.dtype.name]).astype(like.dtype)
