"""Values of options without pydantic: Typer loads it, for a tenth of a second, even to convert nothing."""

from collections.abc import Iterable
from enum import Enum
from typing import Any, Self

from typer.core import TyperCommand


class QuickCommand(TyperCommand):
    """A command that takes texts, choices and options that are not given as they are; Typer converts all others."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 -- the type is Typer's private Context
        """What is left of the arguments when the options are taken."""
        hasten(self.get_params(ctx))
        return super().parse_args(ctx, args)


def hasten(parameters: Iterable[Any]) -> None:
    """Have Typer's parameters loaded with no more than their values need."""
    for parameter in parameters:
        # Older ones convert without pydantic, and have no such method.
        build = getattr(parameter, "get_runtime_param", None)
        if build is not None:
            parameter.get_runtime_param = _Converter(build)


class _Converter:
    """Stands in for Typer's own converter of a parameter's values, which is made when it is needed."""

    def __init__(self, build: Any) -> None:  # noqa: ANN401 -- of Typer's private types, as all below
        self._build = build

    def __call__(self) -> Self:
        """This one: Typer asks for a converter each time that it needs one."""
        return self

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:  # noqa: ANN401
        """The value as the command's function gets it. Raises what Typer raises."""
        annotation = param.type_descriptor.annotation
        if value is None:
            return () if param.multiple or param.nargs == -1 else None
        if annotation is str and isinstance(value, str):
            return value
        if annotation == list[str] and isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
            return list(value)
        if isinstance(annotation, type) and issubclass(annotation, Enum):
            if isinstance(value, annotation):
                return value
            if value in {choice.value for choice in annotation}:
                return annotation(value)
        return self._build().coerce(value, param, ctx)
