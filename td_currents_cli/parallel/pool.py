"""A map over items with the results in their order, by other processes if there are many."""

from collections.abc import Callable, Generator, Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from pickle import PickleBuffer

Item = TypeVar("Item")
Result = TypeVar("Result")

SERIAL: Final = 8  # items done before processes are started: below that, starting them costs more than it saves


class SharedBytes:
    """The many bytes of a result, which come from another process through shared memory.

    A pipe takes them in pieces of 64 kB, each copied four times and waited for at both ends: without shared memory,
    `parse` of a large CSV file takes 15 % longer. They are valid until the next result is requested.
    """

    __slots__ = ("pieces",)

    def __init__(self, *pieces: bytes | memoryview) -> None:
        self.pieces = pieces

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces)

    def __reduce_ex__(self, _protocol: object, /) -> "tuple[type[SharedBytes], tuple[PickleBuffer, ...]]":
        from pickle import PickleBuffer  # noqa: PLC0415 -- small inputs do without

        return SharedBytes, tuple(map(PickleBuffer, self.pieces))


def ordered_map(
    make: Callable[..., Callable[[Item], Result]],
    arguments: tuple[Any, ...],
    items: Iterable[Item],
    jobs: int,
    *,
    is_large: Callable[[Item], bool] = lambda _: False,
) -> Generator[tuple[Item, Result]]:
    """Yield each item with the result of a function, in the order of the items.

    Close it when it is not read to its end: that ends the other processes.

    `make` is called once in each process, unless it begins as a copy of this one. Its arguments, the items and the
    results are sent between processes, which are started at the first large item, or after SERIAL others. Items are
    taken a bounded number ahead.

    Raises:
        DefectError: one of the processes died.
    """
    function = make(*arguments)
    rest = iter(items)
    for number, item in enumerate(rest):
        if jobs == 1 or (number < SERIAL and not is_large(item)):
            yield item, function(item)
        else:
            from td_currents_cli.parallel.processes import in_processes  # noqa: PLC0415 -- small inputs do without

            yield from in_processes(function, make, arguments, chain([item], rest), jobs)
