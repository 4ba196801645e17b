"""What goes wrong, by whose fault it is. The words are those of the command line."""

from __future__ import annotations

from typing import List, Optional

__all__ = [
    "ArrayError",
    "Cancelled",
    "Error",
    "InputError",
    "InternalError",
    "IoError",
    "LimitError",
    "MissingFileError",
    "PipelineError",
    "ShapeError",
    "UnsupportedError",
]


class Error(Exception):
    """The base of all errors of this package."""

    #: What would help, or nothing.
    hint: Optional[str] = None
    #: The stages or files it came through, outermost first.
    stages: List[str] = []
    #: The problems of a pipeline, each with its line and a caret.
    diagnostics: List[str] = []


class PipelineError(Error, ValueError):
    """A pipeline, a net or a parameter is wrong; `diagnostics` has all problems."""


class ShapeError(Error, ValueError):
    """Sizes or types of values do not fit together."""


class ArrayError(Error, TypeError):
    """An array of numbers that are not taken, or no array at all."""


class InputError(Error, ValueError):
    """A file holds something that cannot be read as what it should be."""


class LimitError(Error, ValueError):
    """Something is larger than the limits allow."""


class UnsupportedError(Error, NotImplementedError):
    """The request is understood, but not provided."""


class IoError(Error, OSError):
    """The environment failed: permissions, a full disk."""


class MissingFileError(IoError, FileNotFoundError):
    """There is no such file."""


class Cancelled(Error):
    """The work was stopped."""


class InternalError(Error, RuntimeError):
    """A fault of this package."""
