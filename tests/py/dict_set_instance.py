"""dict, set and the attributes of instances against models; runs on any Python from 3.13 on."""

import gc
import random


def raises(exception, function, *arguments):
    try:
        function(*arguments)
    except exception as error:
        return str(error)
    raise AssertionError(f"no {exception.__name__}")


class Key:
    """A key whose comparison can do anything."""

    def __init__(self, value, hash_value=1, on_equal=None):
        self.value, self.hash_value, self.on_equal = value, hash_value, on_equal

    def __hash__(self):
        return self.hash_value

    def __eq__(self, other):
        for key in (self, other):
            if getattr(key, "on_equal", None):
                key.on_equal()
        return isinstance(other, Key) and self.value == other.value


def test_dict_against_a_list_of_pairs():
    rng = random.Random(1)
    for kind in (str, int, lambda k: str(k) if k % 2 else k, lambda k: (k, "x")):
        real, model = {}, []
        for step in range(4000):
            key, value = kind(rng.randrange(60)), rng.random()
            place = next((i for i, (k, _) in enumerate(model) if k == key), None)
            match rng.randrange(6):
                case 0 | 1 | 2:
                    real[key] = value
                    if place is None:
                        model.append((key, value))
                    else:
                        model[place] = (model[place][0], value)
                case 3:
                    assert real.pop(key, "none") == ("none" if place is None else model.pop(place)[1])
                case 4:
                    assert real.get(key) == (None if place is None else model[place][1])
                case 5 if step % 7 == 0 and model:
                    assert real.popitem() == model.pop()
            assert len(real) == len(model)
            if step % 100 == 0:
                assert list(real.items()) == model and dict(model) == real == real.copy()
                assert list(reversed(real)) == [k for k, _ in reversed(model)]


def test_dict_changed_while_it_compares():
    d = {}
    for i in range(5):
        d[Key(i)] = i
    assert d.get(Key(3, on_equal=d.clear)) in (None, 3)
    assert d == {}
    d = {Key(i): i for i in range(5)}
    grow = lambda: d.update((str(len(d) + i), i) for i in range(20)) if len(d) < 100 else None
    assert d[Key(4, on_equal=grow)] == 4
    d = {Key(0): 0}
    d[Key(1, on_equal=d.clear)] = 1
    assert list(d.values()) == [1]


def test_dict_messages():
    d = {1: 2}
    assert raises(KeyError, d.__getitem__, (1, 2)) == "(1, 2)"
    assert raises(KeyError, {}.popitem) == "'popitem(): dictionary is empty'"
    assert raises(ValueError, d.update, [(1, 2, 3)]) == "dictionary update sequence element #0 has length 3; 2 is required"
    assert raises(TypeError, dict, 1, 2) == "dict expected at most 1 argument, got 2"
    iterator = iter(d)
    d[3] = 4
    assert raises(RuntimeError, next, iterator) == "dictionary changed size during iteration"
    raises(TypeError, d.__contains__, [])
    raises(TypeError, hash, d)
    d = {}
    d["self"] = d
    assert repr(d) == "{'self': {...}}"


def test_dict_subclasses_and_views():
    class Missing(dict):
        def __missing__(self, key):
            return key * 2

    assert Missing()[4] == 8 and Missing(a=1)["a"] == 1
    assert type(Missing(a=1) | {"b": 2}) is dict
    a, b = {1: "x", 2: [3]}, {2: [3], 4: "y"}
    assert a.keys() & b.keys() == {2} and a.keys() | [7] == {1, 2, 7} and a.keys() - b == {1}
    assert a.items() ^ b.items() == {(1, "x"), (4, "y")}
    assert a.keys() ^ b == {1, 4} and a.keys().isdisjoint([9]) and not a.items().isdisjoint(b.items())
    assert {1: 2}.items() <= {1: 2, 3: 4}.items() and (1, "x") in a.items() and (1, "z") not in a.items()
    assert repr(a.keys()) == "dict_keys([1, 2])" and list(reversed(a.values())) == [[3], "x"]
    assert a.keys().mapping == a and raises(TypeError, a.keys().mapping.__class__)
    assert dict.fromkeys("ab", 0) == {"a": 0, "b": 0} and Missing.fromkeys("a").__class__ is Missing
    iterator = iter({1: 1, 2: 2})
    next(iterator)
    function, (rest,) = iterator.__reduce__()
    assert function is iter and rest == [2] and iterator.__length_hint__() == 1


def test_set_against_lists():
    rng = random.Random(2)
    for size in (10, 100, 5000):
        a, b = [[rng.randrange(size) for _ in range(size // 2)] for _ in "ab"]
        x, y = set(a), frozenset(b)
        assert sorted(x) == sorted(dict.fromkeys(a)) and len(x) == len(dict.fromkeys(a))
        assert sorted(x & y) == sorted(k for k in dict.fromkeys(a) if k in b)
        assert sorted(x - y) == sorted(k for k in dict.fromkeys(a) if k not in b)
        assert sorted(x ^ y) == sorted([*(x - y), *(y - x)]) and x | y == {*a, *b}
        assert (x <= y) == all(k in b for k in a) and x & y <= x <= x | y and not x < x
        z = set(x)
        z &= y
        assert z == x & y
        z = set(x)
        z ^= y
        assert z == x ^ y
        while x:
            x.remove(next(iter(x)))
    assert hash(frozenset("abc")) == hash(frozenset("cba")) and {frozenset([1])} == {frozenset({1})}
    assert {1} in {frozenset([1])} and type(frozenset([1]) | {2}) is frozenset
    assert repr(set()) == "set()" and repr(frozenset([1])) == "frozenset({1})"
    assert raises(KeyError, set().remove, {1}) == "{1}" and raises(KeyError, set().pop) == "'pop from an empty set'"
    assert list({7, 9, 8, 1, 0, 33}) == [0, 1, 33, 7, 8, 9] and list({8, 16, 24, 0}) == [8, 16, 24, 0]


def test_instances():
    class Plain:
        pass

    rng = random.Random(3)
    for round in range(60):
        o, model, kept = Plain(), {}, None
        for step in range(200):
            name, value = f"a{rng.randrange(40 if round % 4 == 0 else 6)}", rng.random()
            match rng.randrange(6):
                case 0 | 1 | 2:
                    setattr(o, name, value)
                    model[name] = value
                case 3:
                    if name in model:
                        delattr(o, name)
                        del model[name]
                    else:
                        raises(AttributeError, delattr, o, name)
                case 4:
                    assert getattr(o, name, None) == model.get(name)
                case 5 if step % 40 == 0:
                    kept = o.__dict__
                    kept["new"] = model["new"] = step
            if kept is not None:
                assert kept == model and list(kept) == list(model)
        assert vars(o) == model
        if round % 3 == 0:
            o.__dict__ = {"other": 1}
            assert o.other == 1 and not hasattr(o, "new")
        del o
        if kept is not None:
            assert kept == model

    class Other:
        pass

    o = Plain()
    o.x, d = 1, o.__dict__
    o.__class__ = Other
    o.y = 2
    assert d == {"x": 1, "y": 2} == vars(o)
    o.cycle = o
    del o
    gc.collect()
    d["cycle"].z = 3
    assert d["z"] == 3


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
print("ok")
