"""Code objects made by hand: what an instruction names by number must be there."""


def function(argument):
    method = argument.upper
    return method, "constant", print


code = function.__code__
refused = [
    {"co_consts": ()},
    {"co_names": ()},
    {"co_varnames": (), "co_nlocals": 0, "co_argcount": 0},
    {"co_code": code.co_code[:-1]},
]
for change in refused:
    try:
        code.replace(**change)
    except ValueError:
        continue
    raise AssertionError(f"accepted: {change}")

# More of everything is no harm.
more = code.replace(co_consts=code.co_consts + (1,), co_names=code.co_names + ("more",))
function.__code__ = more
assert function("a")[1] == "constant"
assert function("a")[0]() == "A"


# Strings that could be names are one object, in tuples and frozen sets, too.
namespace = {}
exec("a = 'some_word'; b = ('some_word', 1); c = lambda x: x in {'some_word'}", namespace)
assert namespace["a"] is namespace["b"][0]
assert all(w is namespace["a"] for k in namespace["c"].__code__.co_consts if isinstance(k, frozenset) for w in k)

# As many local variables as names.
plain = (lambda x: x).__code__
try:
    plain.replace(co_nlocals=5)
except ValueError:
    pass
else:
    raise AssertionError("co_nlocals")
