"""Classes: their making, their layout, their changes, their end."""


def raises(kind, text, function, *args, **keywords):
    try:
        function(*args, **keywords)
    except kind as error:
        assert str(error) == text, str(error)
    else:
        raise AssertionError(text)


class A: pass
class B(A): pass

# Bases and orders.
assert B.__mro__ == (B, A, object) and A.__subclasses__() == [B]
raises(TypeError, "type 'bool' is not an acceptable base type", type, "X", (bool,), {})
raises(TypeError, "multiple bases have instance lay-out conflict", type, "X", (int, str), {})
raises(TypeError, "duplicate base class A", type, "X", (A, A), {})
raises(TypeError, "Cannot create a consistent method resolution order (MRO) for bases A, B", type, "X", (A, B), {})

# __slots__.
class S:
    __slots__ = ("a", "__b")
s = S()
s.a = 1
s._S__b = 2
assert (s.a, s._S__b, S.__slots__) == (1, 2, ("a", "__b")) and not hasattr(s, "__dict__")
raises(TypeError, "nonempty __slots__ not supported for subtype of 'int'", type, "X", (int,), {"__slots__": ("a",)})
raises(ValueError, "'a' in __slots__ conflicts with class variable", type, "X", (), {"__slots__": ("a",), "a": 1})

# Slots that a native base fills under another name stay its own.
class L(list): pass
assert L([1]) + [2] == [1, 2] and L([1]) * 2 == [1, 1] and L.__add__ is list.__add__

# A changed base reaches the classes below it.
class P1:
    def g(self): return 1
class P2:
    def g(self): return 2
class Q(P1): pass
class R(Q): pass
r = R()
assert r.g() == 1
Q.__bases__ = (P2,)
assert r.g() == 2 and P1.__subclasses__() == [] and P2.__subclasses__() == [Q]
P2.__len__ = lambda self: 3
assert len(r) == 3
del P2.__len__
raises(TypeError, "object of type 'R' has no len()", len, r)

# A changed class takes the attributes along.
x = P1()
x.a = 1
x.__class__ = P2
x.b = 2
assert (x.g(), x.__dict__) == (2, {"a": 1, "b": 2})
raises(TypeError, "__class__ assignment only supported for mutable types or ModuleType subclasses", setattr, x, "__class__", int)

# __set_name__ and its note.
class Bad:
    def __set_name__(self, owner, name): raise ValueError(name)
try:
    class C: q = Bad()
except ValueError as error:
    assert error.__notes__ == ["Error calling __set_name__ on 'Bad' instance 'q' in 'C'"]

# Finalizers: once, with resurrection; cycles of instances and of classes.
import gc, _weakref
seen = []
class F:
    def __del__(self): seen.append(self)
f = F()
del f
assert len(seen) == 1
seen.clear()
assert seen == []
def cycles():
    class T:
        __slots__ = ("me", "__weakref__")
    T.me2 = T
    t = T()
    t.me = t
    return _weakref.ref(T), _weakref.ref(t)
refs = cycles()
gc.collect()
assert [ref() for ref in refs] == [None, None]

# Weak references: the basic one is shared; proxies pass operations on.
assert _weakref.ref(A) is _weakref.ref(A)
class N:
    def __radd__(self, other): return other
n = N()
proxy = _weakref.proxy(n)
assert 1 + proxy == 1
del n
raises(ReferenceError, "weakly-referenced object no longer exists", lambda: proxy + 1)
print("ok")

# locals() of a class body is its namespace, also where a comprehension has variables in it.
class WithComprehension:
    squares = [number * number for number in range(3)]
    locals().update({name: 1 for name in ("one", "two")})
    assert locals()["squares"] == squares
assert WithComprehension.one == WithComprehension.two == 1 and not hasattr(WithComprehension, "number")


# A finalizer may give its object another class.
class Plain:
    pass


class Changes:
    def __del__(self):
        self.__class__ = Plain


for _ in range(20):
    changing = [Changes() for _ in range(100)]
    del changing


# A place of `__slots__` that a class has borrowed is none of its instances', however often it is asked for.
class Lender:
    __slots__ = ("place",)


class Borrower:
    place = Lender.place


def read(object):
    return object.place


def write(object):
    object.place = 1


for _ in range(100):
    for function in (read, write):
        try:
            function(Borrower())
        except TypeError:
            pass
        else:
            raise AssertionError(function)


# Bases that are set again while they are being set make no circle.
class Again(type):
    ready = False

    def mro(cls):
        if Again.ready and cls.__name__ == "First":
            Second.__bases__ = (First,)
        if Again.ready and cls.__name__ == "Second":
            First.__bases__ = (Second,)
        return type.mro(cls)


class Root(metaclass=Again):
    pass


class First(Root):
    pass


class Second(Root):
    pass


Again.ready = True
try:
    First.__bases__ = (Second,)
except TypeError:
    pass
Again.ready = False
assert Root in First.__mro__ and Root in Second.__mro__


# The dictionary of what is a class beside being something else is not to be replaced.
class Base:
    pass


class Meta(type, Base):
    pass


class Made(metaclass=Meta):
    pass


try:
    Base.__dict__["__dict__"].__set__(Made, {})
except (TypeError, AttributeError):
    pass
else:
    raise AssertionError("the dictionary of a class was replaced")


# A class that changes all the time is no longer cached, and is right all the same.
class Restless:
    value = 0


def look():
    return Restless.value


for number in range(1500):
    Restless.value = number
    assert look() == number == Restless().value

# Functions of one argument or none have a signature without saying it.
assert (0).__class__.__dict__["conjugate"].__text_signature__.startswith("($self")
assert range.__dict__["count"].__text_signature__ and (3).bit_length.__text_signature__ == "($self, /)"

# Records of the system's are not made anew.
import sys

for record in (sys.flags, sys.version_info):
    for make in (type(record), lambda value, make=type(record): make.__new__(make, value)):
        try:
            make(record)
        except TypeError:
            pass
        else:
            raise AssertionError(record)


# A metaclass's `mro` may set other bases while bases are set: the last ones count, and nobody's subclasses make a circle.
class Changing(type):
    ready = False

    def mro(cls):
        if Changing.ready and cls.__name__ == "Inner":
            Changing.ready = False
            Changing.act()
        return type.mro(cls)


class Top(metaclass=Changing):
    pass


class Left(Top):
    pass


class Right(Top):
    pass


class Inner(Top):
    pass


def set_right():
    Inner.__bases__ = (Right,)


Changing.act = set_right
Changing.ready = True
Inner.__bases__ = (Left,)
assert Inner.__bases__ == (Right,) and Right.__subclasses__() == [Inner] and Left.__subclasses__() == []
Left.__bases__ = (Inner,)
assert Inner.__subclasses__() == [Left] and Right.__subclasses__() == [Inner]
Left.__bases__ = (Top,)


def close_circle():
    Left.__bases__ = (Right, Inner)


# The circle is not of first bases.
Changing.act = close_circle
Changing.ready = True
try:
    Inner.__bases__ = (Right, Left)
except TypeError:
    pass
assert not (issubclass(Left, Inner) and issubclass(Inner, Left))
