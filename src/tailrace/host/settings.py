"""What the runner is told once and remembers: `STATE/settings.json`."""

import os

import msgspec

from tailrace.host.statedir import StateDir, read_file, write_file

MOST_RUNNING = 100_000


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The settings of a state directory's runner. Ages in seconds, sizes in bytes; None: no limit."""

    max_running: int = 1000
    """runs at the same time; more wait in the queue"""
    max_queued: int | None = None
    """runs that wait because of it; more are refused"""
    max_starts_per_minute: int | None = None
    """runs that are started in a minute; more are refused"""
    idle_s: float = 60.0
    """without runs and requests for so long, the runner goes; the next start brings a new one"""
    stay: bool = False
    """never go"""
    free_floor: int | None = None
    """free bytes below which no new run is taken; None: 64 MiB, or 2 % of a small file system"""
    keep_age_s: float | None = None
    """finished runs that ended longer ago are removed"""
    keep_count: int | None = None
    """so many finished runs are kept"""
    keep_bytes: int | None = None
    """so much output of finished runs is kept"""


SETTINGS = msgspec.json.Decoder(Settings)


def load(state: StateDir) -> Settings:
    """Return the settings; the defaults where there are none, or they make no sense."""
    try:
        settings = SETTINGS.decode(read_file("settings.json", dir_fd=state.fd))
        return msgspec.structs.replace(settings, max_running=min(settings.max_running, MOST_RUNNING))
    except (OSError, msgspec.MsgspecError, RecursionError):
        return Settings()


def save(state: StateDir, settings: Settings) -> None:
    """Replace the settings; a running runner reads them when told to.

    Raises:
        OSError: they cannot be written.
    """
    temporary = f".settings-{os.getpid()}"
    write_file(temporary, msgspec.json.encode(settings), dir_fd=state.fd, flags=os.O_TRUNC)
    os.rename(temporary, "settings.json", src_dir_fd=state.fd, dst_dir_fd=state.fd)
