"""Making classes in every form, and changing them."""
import abc
import types

from harness import check


def plain():
    class Plain:
        "text"
        x = 1

        def f(self):
            return self.x

    return Plain().f(), Plain.__doc__, Plain.__name__, Plain.__qualname__


def slotted():
    class Slotted:
        __slots__ = ("a", "b", "__weakref__")

    thing = Slotted()
    thing.a = [1]
    return thing.a, hasattr(thing, "b")


def with_dict_slot():
    class Both:
        __slots__ = {"a": "documented", "__dict__": None}

    thing = Both()
    thing.a, thing.c = 1, 2
    return thing.a, dict(thing.__dict__)


def derived():
    class A:
        def __init_subclass__(cls, /, extra=None, **rest):
            super().__init_subclass__(**rest)
            cls.extra = extra

    class B(A, extra=[1]):
        pass

    class C(B, dict):
        pass

    return B.extra, [c.__name__ for c in C.__mro__], C(a=1)


def with_metaclass():
    class Meta(type):
        @classmethod
        def __prepare__(cls, name, bases, **given):
            return {"prepared": name, **given}

        def __new__(cls, name, bases, names, **given):
            return super().__new__(cls, name, bases, names)

        def __init__(cls, name, bases, names, **given):
            super().__init__(name, bases, names)

        def __call__(cls, *args):
            return super().__call__(*args)

    class Made(metaclass=Meta, key=5):
        def __init__(self, value):
            self.value = value

    return Made.prepared, Made.key, Made(3).value, type(Made).__name__


def named():
    class Field:
        def __set_name__(self, owner, name):
            self.name = owner.__name__ + "." + name

        def __get__(self, instance, owner):
            return self.name

    class Has:
        field = Field()

    return Has.field


def abstract():
    class Shape(abc.ABC):
        @abc.abstractmethod
        def area(self): ...

    class Square(Shape):
        def area(self):
            return 4

    try:
        Shape()
    except TypeError as error:
        return str(error), Square().area(), isinstance(Square(), Shape)


def of_each_native_type():
    made = []
    for base in (int, float, str, bytes, bytearray, list, tuple, dict, set, frozenset, Exception, OSError, type(iter([])).__base__):
        made.append(type("Sub", (base,), {"extra": 1})().extra)
    return made


def changed():
    class A:
        pass

    class B(A):
        pass

    A.f = lambda self: 1
    first = B().f()
    A.__add__ = lambda self, other: other
    second = B() + 5
    B.__name__ = "Renamed"
    B.__qualname__ = "some.Renamed"
    B.__bases__ = (type("C", (A,), {}),)
    del A.f
    return first, second, repr(B)[-9:], hasattr(B, "f"), len(A.__subclasses__())


def generic():
    class Box[T, *Ts, **P]:
        def get[U: (int, str)](self, x: T) -> U: ...

    return Box.__type_params__[0].__name__, repr(Box[int, str, [int]])[-30:], Box.get.__type_params__[0].__constraints__


def annotated():
    class A:
        x: int
        y: "str" = 1
        if x := 1:
            z: list[int]

    return A.__annotations__


def operators():
    class V:
        def __init__(self, n):
            self.n = n

        def __add__(self, other):
            return V(self.n + other.n)

        def __radd__(self, other):
            return V(self.n + other)

        def __iadd__(self, other):
            self.n += other
            return self

        def __neg__(self):
            return V(-self.n)

        def __getitem__(self, key):
            return key

        def __setitem__(self, key, value):
            self.n = value

        def __call__(self, *args, **keywords):
            return args, keywords

        def __len__(self):
            return 3

        def __iter__(self):
            return iter([self.n])

        def __contains__(self, item):
            return item == self.n

        def __eq__(self, other):
            return self.n == other.n

        def __hash__(self):
            return self.n

        def __getattr__(self, name):
            return name * 2

        def __bool__(self):
            return True

        def __repr__(self):
            return f"V({self.n})"

        def __format__(self, spec):
            return spec + "!"

        def __enter__(self):
            return self.n

        def __exit__(self, *error):
            return True

        def __index__(self):
            return self.n

        def __del__(self):
            pass

    v = V(10**18)
    v[1] = 5
    v += 1
    with v as entered:
        pass
    return (v + v).n, (5 + v).n, (-v).n, v[1:2], v(1, a=2), len(v), list(v), 6 in v, v == V(6), v.other, repr(v), f"{v:abc}", entered, hash(v), [0] * 7 + [*v], int(V(3))


def with_module():
    made = types.new_class("Made", (dict,), {}, lambda names: names.update(a=1))
    return made.a, made.__module__


def reassigned():
    class A:
        pass

    class B:
        def g(self):
            return self.x

    thing = A()
    thing.x = [1]
    thing.__class__ = B
    return thing.g(), sorted(vars(thing))


check(
    plain, slotted, with_dict_slot, derived, with_metaclass, named, abstract, of_each_native_type, changed, generic, annotated, operators, with_module, reassigned, lambda: type("T", (), {}).__name__, lambda: repr(type("T", (), {"__module__": "m"})), lambda: type.mro(bool), lambda: dir(type("T", (), {"a": 1})).count("a"), lambda: type("T", (int,), {})(10**20) + 1, lambda: object().__dir__().count("__init__"), lambda: object.__new__(object).__class__, lambda: object().__reduce_ex__(2)[1], lambda: str(object())[:7], lambda: bool.__subclasses__(), lambda: int.__or__(1, 2), lambda: type(3) | None, lambda: isinstance(3, int | str), lambda: type.__call__(int, "7" * 30), lambda: len(int.__doc__), lambda: type("T", (), {"__doc__": "d"}).__doc__, lambda: int.__text_signature__,
)
