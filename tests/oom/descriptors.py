"""property, classmethod, staticmethod, super, and the descriptors of native types."""
from harness import Same, check


class Base:
    def greet(self, name="x"):
        return f"base {name}"

    @classmethod
    def make(cls):
        return cls.__name__ + "!"


class Derived(Base):
    __slots__ = ("first", "second")

    @property
    def value(self):
        "documented"
        return self.greet() * 2

    @value.setter
    def value(self, new):
        self.first = [new]

    @value.deleter
    def value(self):
        del self.first

    @staticmethod
    def join(*parts):
        return "".join(parts)

    @classmethod
    def make(cls):
        return super().make() + "?"

    def greet(self, name="y"):
        return super().greet(name) + super(Derived, self).greet()


def assigned():
    thing = Derived()
    thing.value = "a"
    found = thing.first
    del thing.value
    return found, hasattr(thing, "first")


def copied():
    made = Derived.value.getter(lambda self: 3).setter(None).deleter(None)
    made.__set_name__(Derived, "other")
    return made.__get__(Derived()), made.__name__, made.__doc__


check(
    lambda: Derived().value, assigned, copied, lambda: Derived.join("a", "b" * 20), lambda: Derived().join("c"), lambda: Derived.make(), lambda: Derived().make(), lambda: Derived().greet("z"), lambda: property(len, doc="text").__doc__, lambda: property(fget=len).fget is len, lambda: Same(property().getter(len)), lambda: repr(super(Derived, Derived())).startswith("<super"), lambda: super(Derived, Derived).make(), lambda: super(Derived, Derived()).greet.__name__, lambda: super(Derived).__get__(Derived()).greet("q"), lambda: super(Derived, Derived()).__self__.__class__.__name__,
    lambda: classmethod(len).__func__ is len, lambda: staticmethod(len)("abc"), lambda: classmethod(Base.greet).__name__, lambda: staticmethod(Base.greet).__wrapped__.__name__, lambda: repr(staticmethod(len)), lambda: repr(classmethod(len)), lambda: classmethod(repr).__get__("abc")(), lambda: staticmethod(len).__get__(None, int)("ab"), lambda: str.upper("abc"), lambda: str.upper.__get__("abc")(), lambda: repr(str.upper), lambda: str.upper.__qualname__, lambda: str.__add__("a", "b"), lambda: "a".__add__("b"), lambda: repr("a".__add__)[:20], lambda: hash("a".__add__) != 0, lambda: "a".__add__ == "a".__add__, lambda: dict.fromkeys("ab"), lambda: dict.__dict__["fromkeys"].__get__(None, dict)("ab"), lambda: int.__dict__["real"].__get__(5), lambda: repr(Derived.first), lambda: Derived.first.__qualname__, lambda: str.upper.__text_signature__, lambda: str.upper.__doc__, lambda: [].append.__reduce__()[1][1], lambda: str.upper.__reduce__()[1], lambda: "x".__add__.__reduce__()[1], lambda: [].append.__qualname__, lambda: repr([].append)[:20], lambda: len.__text_signature__, lambda: len.__reduce__(),
)
