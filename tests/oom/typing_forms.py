"""generic alias, union, type variables."""
import typing

from harness import check


def parameters[T: int, *Ts, **P](x: T): ...


T, Ts, P = parameters.__type_params__
alias = dict[str, list[T]]
type Named[X] = list[X] | None

check(
    lambda: list[int], lambda: repr(alias), lambda: alias.__parameters__[0].__name__, lambda: alias[int], lambda: hash(list[int]) == hash(list[int]), lambda: alias == dict[str, list[T]], lambda: list[int](range(3)), lambda: alias.__args__, lambda: [*tuple[int, str]], lambda: isinstance(list[int], type), lambda: list[int].__reduce__()[1], lambda: dir(alias).count("__args__"), lambda: list[int].__mro_entries__(()), lambda: repr(tuple[*Ts]), lambda: repr(dict[..., T][int]), lambda: int | str, lambda: int | None | list[int], lambda: repr(int | str | None), lambda: hash(int | str) == hash(str | int), lambda: (int | str) == (str | int), lambda: isinstance(3, int | str), lambda: issubclass(bool, int | str), lambda: (list[T] | None)[int], lambda: (int | list[T]).__parameters__, lambda: typing.Union[int, str].__args__, lambda: typing.Optional[int],
    lambda: repr(T), lambda: T.__bound__, lambda: P.args.__origin__ is P, lambda: repr(P.kwargs), lambda: typing.TypeVar("V", int, str).__constraints__, lambda: typing.TypeVar("V", bound=int, default=bool).__default__, lambda: typing.ParamSpec("Q").__name__, lambda: typing.TypeVarTuple("Us").__name__, lambda: repr([*Ts]), lambda: Named.__value__, lambda: Named[int], lambda: repr(Named[int]), lambda: Named[int].__value__, lambda: Named.__type_params__[0].__name__, lambda: typing.TypeAliasType("A", list[int]).__value__, lambda: typing.NewType("N", int)(3), lambda: parameters.__annotations__["x"] is T, lambda: T | int, lambda: typing.get_type_hints(parameters)["x"] is T, lambda: T.has_default(), lambda: typing.Callable[[int], str].__args__, lambda: typing.Literal[1, "a"].__args__,
)
