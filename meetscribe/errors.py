"""Errors that reach people: one clear sentence that names the thing and the remedy, with an exit code.

Not covered: programming errors, which stay ordinary exceptions and carry their traceback.
"""


class MeetscribeError(Exception):
    """Something a person can understand and mend; `exit_code` is what the command line ends with."""

    exit_code = 1


class InputError(MeetscribeError):
    """What was given cannot be used: a file, a name, a flag, a message."""

    exit_code = 2


class UsageError(InputError):
    """The command was called in a way that cannot work."""


class FormatError(InputError):
    """Text that is not what its format says."""


class SequenceError(InputError):
    """A log of events has a hole."""


class AudioError(InputError):
    """An audio file cannot be read, or only its beginning can."""


class CheckpointError(InputError):
    """A model's files are damaged, foreign, or of another version."""


class MissingError(MeetscribeError):
    """Something this needs is not here: a device, a library, a model, a free port."""

    exit_code = 3


class EngineLost(MeetscribeError):  # noqa: N818 - what happened, to be caught by name
    """Who runs the network has gone: killed, out of memory, or without an answer for too long."""


class RecordingError(MeetscribeError):
    """Audio cannot be written to disk."""


class StorageError(MissingError):
    """The disk is full, or what lies on it cannot be read or written."""
