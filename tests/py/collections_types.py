"""deque, OrderedDict, defaultdict and named tuples against models.

Runs on any Python from 3.13 on, but for `keys_that_compare_with_code`, in which CPython 3.13 crashes.
"""

import gc
import random
import weakref
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple


def raises(kind, message, function, *arguments):
    try:
        function(*arguments)
    except kind as error:
        assert message is None or str(error) == message, (str(error), message)
        return
    raise AssertionError(f"no {kind.__name__}")


def deque_like_list(max_len, seed):
    r = random.Random(seed)
    d, model = deque(maxlen=max_len), []

    def cut(left):
        if max_len is not None and len(model) > max_len:
            model.pop() if left else model.pop(0)

    for i in range(3000):
        step = r.randrange(12)
        if step < 3:
            d.append(i), model.append(i), cut(False)
        elif step < 5:
            d.appendleft(i), model.insert(0, i), cut(True)
        elif step == 5 and model:
            assert d.pop() == model.pop()
        elif step == 6 and model:
            assert d.popleft() == model.pop(0)
        elif step == 7:
            n = r.randrange(-20, 20)
            d.rotate(n)
            if model:
                n %= len(model)
                model[:] = model[-n:] + model[:-n]
        elif step == 8 and model:
            at = r.randrange(len(model))
            del d[at], model[at]
        elif step == 9 and (max_len is None or len(model) < max_len):
            at = r.randrange(-len(model) - 1, len(model) + 2)
            d.insert(at, i), model.insert(at, i)
        elif step == 10 and model:
            at = r.randrange(-len(model), len(model))
            assert d[at] == model[at]
            d[at] = model[at] = i
        elif step == 11:
            d.reverse(), model.reverse()
        assert len(d) == len(model)
        if i % 37 == 0:
            assert list(d) == model and list(reversed(d)) == model[::-1]
            assert d.copy() == d == deque(model)


def deque_notices_changes():
    d = deque(range(5))

    def append_while_walking():
        for _ in d:
            d.append(1)

    raises(RuntimeError, "deque mutated during iteration", append_while_walking)

    class Appends:
        def __eq__(self, other):
            d.append(1)
            return False

    raises(RuntimeError, "deque mutated during iteration", d.count, Appends())
    raises(IndexError, None, d.remove, Appends())
    raises(RuntimeError, "deque mutated during iteration", d.index, Appends())


def ordered_like_pairs(seed):
    r = random.Random(seed)
    od, pairs = OrderedDict(), []
    for i in range(4000):
        step, key = r.randrange(9), r.randrange(40)
        key = str(key) if key % 3 else key
        keys = [k for k, _ in pairs]
        last = r.random() < 0.5
        if step < 3:
            od[key] = i
            if key in keys:
                pairs[keys.index(key)] = (key, i)
            else:
                pairs.append((key, i))
        elif step == 3 and pairs:
            assert od.popitem(last) == (pairs.pop() if last else pairs.pop(0))
        elif step == 4 and key in keys:
            del od[key], pairs[keys.index(key)]
        elif step == 5 and key in keys:
            od.move_to_end(key, last)
            pair = pairs.pop(keys.index(key))
            pairs.append(pair) if last else pairs.insert(0, pair)
        elif step == 6:
            assert od.pop(key, None) == dict(pairs).get(key)
            pairs = [pair for pair in pairs if pair[0] != key]
        elif step == 7 and r.random() < 0.02:
            od.clear()
            pairs = []
        elif step == 8:
            if key not in keys:
                pairs.append((key, -1))
            od.setdefault(key, -1)
        if i % 23 == 0:
            assert list(od.items()) == pairs and list(reversed(od.items())) == pairs[::-1]
            assert list(od.values()) == [v for _, v in pairs]
            assert list(od) == list(dict(od)) == [k for k, _ in pairs]
            assert od.copy() == od == OrderedDict(pairs) == dict(pairs)
            if len(pairs) > 1:
                assert OrderedDict(pairs[::-1]) != od


def ordered_past_its_methods():
    od = OrderedDict(a=1, b=2)
    dict.__delitem__(od, "a")
    raises(KeyError, "'a'", list, od)
    od = OrderedDict(a=1)
    dict.update(od, b=2)
    assert list(od) == ["a"]
    od["b"] = 3
    assert list(od) == ["a", "b"]

    def add_while_walking():
        for key in od:
            od[key * 2] = 1

    raises(RuntimeError, "OrderedDict mutated during iteration", add_while_walking)


def keys_that_compare_with_code():
    class Key:
        def __init__(self, value):
            self.value = value

        def __hash__(self):
            return 1

        def __eq__(self, other):
            if clearing:
                od.clear()
            return isinstance(other, Key) and self.value == other.value

    clearing = False
    od = OrderedDict((Key(n), n) for n in range(20))
    od.move_to_end(Key(3))
    assert list(od.values())[-1] == 3
    clearing = True
    for use in (lambda: od.pop(Key(5), None), lambda: od.setdefault(Key(5), 1), lambda: od.__setitem__(Key(6), 1)):
        use()
        clearing = False
        od.update((Key(n), n) for n in range(20))
        clearing = True


def cycles_are_found():
    class Deque(deque):
        pass

    class Ordered(OrderedDict):
        pass

    d, od, dd = Deque(), Ordered(), defaultdict(None)
    d.append(d)
    od["self"] = od
    od.x = od
    dd.default_factory = d
    dd[1] = dd
    d.append(dd)
    references = [weakref.ref(d), weakref.ref(od)]
    del d, od, dd
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def default_values():
    dd = defaultdict(list)
    dd["a"].append(1)
    assert dd == {"a": [1]} and repr(dd) == "defaultdict(<class 'list'>, {'a': [1]})"
    assert type(dd | {"b": 1}) is type({"b": 1} | dd) is type(dd.copy()) is defaultdict
    raises(KeyError, "1", lambda: defaultdict()[1])
    raises(TypeError, "first argument must be callable or None", defaultdict, 1)


def counting():
    assert Counter("abracadabra").most_common(2) == [("a", 5), ("b", 2)]

    class Other(Counter):
        def get(self, key, default=None):
            return 10

    assert Other("ab") == {"a": 11, "b": 11}


def named():
    P = namedtuple("P", "x y")
    assert P(1, 2).x == 1 and P(1, 2)._replace(x=3) == (3, 2) and P.x.__get__(None, P) is P.x
    raises(AttributeError, "can't set attribute", setattr, P(1, 2), "x", 3)


for limit, seed in ((None, 1), (7, 2), (0, 3), (1, 4)):
    deque_like_list(limit, seed)
deque_notices_changes()
for seed in (5, 6):
    ordered_like_pairs(seed)
ordered_past_its_methods()
keys_that_compare_with_code()
cycles_are_found()
default_values()
counting()
named()
