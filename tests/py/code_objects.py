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
