"""What a worker is asked to do: one typed value for each thing, with the function that does it.

A task says nothing of where it runs. The files that it reads and writes are declared, so that who carries it
elsewhere can carry them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Generic, TypeVar, cast, get_args

Reply = TypeVar("Reply")


class Task(Generic[Reply]):
    """The base of every task: a frozen dataclass that is sent as JSON.

        @dataclass(frozen=True, kw_only=True)
        class CountWork(Task[Work], runs="resnet_edge.benchmarking.macs:work", reads=("path",)):
            path: str

    `runs` is called in the worker as `function(task, report)` and gives the reply. `reads` and `writes` name
    the fields that hold paths, through dots in values and through tuples; one that is None is no file. A base
    of several tasks has none of them.
    """

    runs: ClassVar[str]
    reads: ClassVar[tuple[str, ...]]
    writes: ClassVar[tuple[str, ...]]

    def __init_subclass__(
        cls, runs: str | None = None, reads: tuple[str, ...] = (), writes: tuple[str, ...] = ()
    ) -> None:
        super().__init_subclass__()
        if runs is not None:
            cls.runs, cls.reads, cls.writes = runs, reads, writes

    @classmethod
    def reply_type(cls) -> type[Reply]:
        """What comes back, as the base states it."""
        bases = cls.__orig_bases__  # type: ignore[attr-defined]  # every Generic has them (PEP 560)
        (reply,) = (get_args(base)[0] for base in bases if get_args(base))
        return cast(type[Reply], reply)

    def files_read(self) -> Iterator[str]:
        """Paths and other words that name data, in the order of `reads`."""
        for name in self.reads:
            yield from texts(self, name)

    def files_written(self) -> Iterator[str]:
        """Paths of files and folders, in the order of `writes`."""
        for name in self.writes:
            yield from texts(self, name)


def texts(task: Task[Any], name: str) -> Iterator[str]:
    """What stands in the field that `name` leads to, through dots in values and through tuples."""
    return _texts(task, name.split("."))


def _texts(value: Any, names: list[str]) -> Iterator[str]:
    if isinstance(value, tuple):
        for each in value:
            yield from _texts(each, names)
    elif names and value is not None:
        yield from _texts(getattr(value, names[0]), names[1:])
    elif isinstance(value, str):
        yield value
