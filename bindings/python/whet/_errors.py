# SPDX-License-Identifier: Apache-2.0
"""Exceptions: one class for each status of the library, each also the builtin that Python programs would expect."""
import re

_PLACE = re.compile(r'node (-?\d+) "(.*?)" \(([^)]*)\)')


class Error(Exception):
    """What the library says went wrong.

    `code` is the status by name ("E_SHAPE"), `status` its number, `text` the whole line: it says where, what was expected
    and what was got. `place` is what stands before the message proper, `node` the node that it names: (number, name,
    operator), or None.
    """

    code = "E_INTERNAL"
    status = -14

    def __init__(self, text="", status=None, code=None):
        super().__init__(text)
        self.text = text
        if status is not None:
            self.status = status
        if code is not None:
            self.code = code

    def __str__(self):
        return self.text

    @property
    def node(self):
        """The node that the text names: (number in the file, name, operator); None when it names none."""
        m = _PLACE.search(self.text)
        return (int(m[1]), m[2], m[3]) if m else None

    @property
    def place(self):
        """Where it happened, as the text says it: file, node, value; "" when it says nothing."""
        m = None
        for m in re.finditer(r': (?=[^:]*$)', self.text):
            pass
        return self.text[:m.start()] if m else ""

    def __reduce__(self):
        return (type(self), (self.text, self.status, self.code))


def _kind(name, base, code, status, doc):
    return type(name, (Error, base) if base else (Error,), {"code": code, "status": status, "__doc__": doc, "__module__": "whet"})


OutOfMemory = _kind("OutOfMemory", MemoryError, "E_MEMORY", -1, "Memory was refused.")
LimitError = _kind("LimitError", None, "E_LIMIT", -2, "A limit that the caller set would be passed.")
FileError = _kind("FileError", OSError, "E_IO", -3, "A file cannot be read.")
FormatError = _kind("FormatError", ValueError, "E_FORMAT", -4, "Bytes are not a valid model.")
UnsupportedError = _kind("UnsupportedError", NotImplementedError, "E_UNSUPPORTED", -5, "A named feature is not there.")
ShapeError = _kind("ShapeError", ValueError, "E_SHAPE", -6, "A shape does not fit.")
DtypeError = _kind("DtypeError", TypeError, "E_TYPE", -7, "An element type does not fit.")
NotFound = _kind("NotFound", LookupError, "E_NAME", -8, "There is no such name.")
DataError = _kind("DataError", ValueError, "E_DATA", -9, "A value is out of range.")
MisuseError = _kind("MisuseError", RuntimeError, "E_MISUSE", -10, "Something was called with wrong arguments or in the wrong state.")
Cancelled = _kind("Cancelled", None, "E_CANCELLED", -11, "The run was cancelled.")
DeadlineError = _kind("DeadlineError", TimeoutError, "E_DEADLINE", -12, "The deadline passed.")
SystemRefused = _kind("SystemRefused", OSError, "E_SYSTEM", -13, "The operating system refused.")

_OF = {c.status: c for c in (OutOfMemory, LimitError, FileError, FormatError, UnsupportedError, ShapeError, DtypeError,
                             NotFound, DataError, MisuseError, Cancelled, DeadlineError, SystemRefused)}


def make(status, code, text):
    """The exception for a status of the library."""
    return _OF.get(status, Error)(text, status, code)
