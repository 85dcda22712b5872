"""The cache of results by content key: a memory tier before an optional disk tier."""

from __future__ import annotations

from engine.node.folders import Folders
from engine.run.disk_cache import DiskCache
from engine.run.effects import are_unchanged
from engine.run.memory_cache import MemoryCache
from engine.run.outcome import Outcome, Record


class Cache:
    """Results by key. Equal key, equal result: in this run, after a restart, in another process.

    Args:
        folders: Where output nodes write; their results are known only while the files there are as they were.
    """

    def __init__(self, memory: MemoryCache, disk: DiskCache | None, folders: Folders) -> None:
        self.memory = memory
        self.disk = disk
        self.folders = folders

    def find(self, key: str) -> Record | None:
        """What is known of a result, without loading its values; None when it must be computed."""
        if (outcome := self.memory.peek(key)) is not None:
            record = outcome.record
        elif self.disk is not None and (stored := self.disk.find(key)) is not None:
            record = stored.record
        else:
            return None
        if record.files and not are_unchanged(record.files, self.folders):
            return None
        return record

    def load(self, key: str) -> Outcome | None:
        """A result with its values, or None when it is not there or damaged. May read files."""
        if (outcome := self.memory.get(key)) is not None:
            return outcome
        if self.disk is None or (outcome := self.disk.load(key)) is None:
            return None
        self.memory.put(key, outcome)
        return outcome

    def keep(self, key: str, outcome: Outcome) -> None:
        """Remember a result for the life of this process, as long as there is room."""
        self.memory.put(key, outcome)

    def write(self, key: str, outcome: Outcome) -> None:
        """Remember a result beyond it, if its values can be written. Slow: for a thread of its own."""
        if self.disk is not None:
            self.disk.store(key, outcome)

    def clear(self) -> None:
        self.memory.clear()
        if self.disk is not None:
            self.disk.clear()
