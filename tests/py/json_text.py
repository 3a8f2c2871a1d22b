"""JSON: the scanner and the encoder; runs on any Python from 3.13 on."""

import json
import math
import _json

inf = math.inf
nan = math.nan
L = []
L.append(L)
D = {}
D["a"] = D


class X:
    pass


class I(int):
    def __repr__(self):
        return "I!"


def outcome(expression):
    try:
        return repr(eval(expression))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


# What CPython answers.
CASES = [
    ('json.loads("[1, 2.5, -0, 1e3, 1E-2, true, false, null, \\"a\\\\u00e9\\\\ud83d\\\\ude00\\"]")', "[1, 2.5, 0, 1000.0, 0.01, True, False, None, 'aé😀']"),
    ('json.loads("{\\"a\\": {\\"b\\": []}, \\"c\\": {}}")', "{'a': {'b': []}, 'c': {}}"),
    ('json.loads("[NaN, Infinity, -Infinity]")', "[nan, inf, -inf]"),
    ('json.loads("12345678901234567890123")', "12345678901234567890123"),
    ('json.loads("-12")', "-12"),
    ('json.loads("")', "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
    ('json.loads("[")', "JSONDecodeError: Expecting value: line 1 column 2 (char 1)"),
    ('json.loads("[1,]")', "JSONDecodeError: Illegal trailing comma before end of array: line 1 column 3 (char 2)"),
    ('json.loads("{\\"a\\":1,}")', "JSONDecodeError: Illegal trailing comma before end of object: line 1 column 7 (char 6)"),
    ('json.loads("{a:1}")', "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
    ('json.loads("{\\"a\\" 1}")', "JSONDecodeError: Expecting ':' delimiter: line 1 column 6 (char 5)"),
    ('json.loads("{\\"a\\":1 2}")', "JSONDecodeError: Expecting ',' delimiter: line 1 column 8 (char 7)"),
    ('json.loads("[1 2]")', "JSONDecodeError: Expecting ',' delimiter: line 1 column 4 (char 3)"),
    ('json.loads("\\"abc")', "JSONDecodeError: Unterminated string starting at: line 1 column 1 (char 0)"),
    ('json.loads("\\"a\\nb\\"")', "JSONDecodeError: Invalid control character at: line 1 column 3 (char 2)"),
    ('json.loads("\\"a\\nb\\"",strict=False)', "'a\\nb'"),
    ('json.loads("\\"\\\\x\\"")', "JSONDecodeError: Invalid \\escape: line 1 column 2 (char 1)"),
    ('json.loads("\\"\\\\u12\\"")', "JSONDecodeError: Invalid \\uXXXX escape: line 1 column 3 (char 2)"),
    ('json.loads("\\"\\\\u123g\\" ")', "JSONDecodeError: Invalid \\uXXXX escape: line 1 column 3 (char 2)"),
    ('json.loads("\\"\\\\ud800\\"")', "'\\ud800'"),
    ('json.loads("nul")', "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
    ('json.loads("01")', "JSONDecodeError: Extra data: line 1 column 2 (char 1)"),
    ('json.loads("1.")', "JSONDecodeError: Extra data: line 1 column 2 (char 1)"),
    ('json.loads("-")', "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
    ('json.loads("[1,2] x")', "JSONDecodeError: Extra data: line 1 column 7 (char 6)"),
    ('json.loads("  [ 1 , 2 ]  ")', "[1, 2]"),
    ('json.loads("[1.5,2]",parse_float=str,parse_int=float)', "['1.5', 2.0]"),
    ('json.loads("{\\"a\\":1,\\"b\\":2}",object_pairs_hook=list)', "[('a', 1), ('b', 2)]"),
    ('json.loads("{\\"a\\":1}",object_hook=lambda d: sorted(d))', "['a']"),
    ('json.loads("NaN",parse_constant=lambda s:s)', "'NaN'"),
    ('json.dumps([1,2.5,None,True,False,"a\\"\\\\\\n\\x7fé\\U0001F600",{}, [], ()])', '\'[1, 2.5, null, true, false, "a\\\\"\\\\\\\\\\\\n\\\\u007f\\\\u00e9\\\\ud83d\\\\ude00", {}, [], []]\''),
    ('json.dumps({"b":1,"a":[1,2],1:2,None:3,True:4,1.5:6})', '\'{"b": 1, "a": [1, 2], "1": 4, "null": 3, "1.5": 6}\''),
    ('json.dumps({"b":1,"a":[1,2]},sort_keys=True,indent=2)', '\'{\\n  "a": [\\n    1,\\n    2\\n  ],\\n  "b": 1\\n}\''),
    ('json.dumps({"b":{},"a":[]},indent=2)', '\'{\\n  "b": {},\\n  "a": []\\n}\''),
    ('json.dumps([1,[2,[3]]],indent="\\t")', "'[\\n\\t1,\\n\\t[\\n\\t\\t2,\\n\\t\\t[\\n\\t\\t\\t3\\n\\t\\t]\\n\\t]\\n]'"),
    ('json.dumps("é",ensure_ascii=False)', '\'"é"\''),
    ("json.dumps([nan,inf,-inf])", "'[NaN, Infinity, -Infinity]'"),
    ("json.dumps([nan],allow_nan=False)", "ValueError: Out of range float values are not JSON compliant: nan"),
    ("json.dumps(L)", "ValueError: Circular reference detected"),
    ("json.dumps(D)", "ValueError: Circular reference detected"),
    ('json.dumps({"k":[1,{"z":X}]})', "TypeError: Object of type type is not JSON serializable"),
    ("json.dumps({(1,):2})", "TypeError: keys must be str, int, float, bool or None, not tuple"),
    ('json.dumps({(1,):2,"a":1},skipkeys=True)', '\'{"a": 1}\''),
    ("json.dumps([X],default=lambda o:o.__name__)", '\'["X"]\''),
    ("json.dumps(1)", "'1'"),
    ("json.dumps([I(3)])", "'[3]'"),
    ("json.dumps({I(3):1})", '\'{"3": 1}\''),
    ('json.dumps({"a":1,"b":[1,2]},separators=(",",":"))', '\'{"a":1,"b":[1,2]}\''),
    ('_json.scanstring("abc\\"d",0)', "('abc', 4)"),
    ('_json.scanstring("abc",0)', "JSONDecodeError: Unterminated string starting at: line 1 column 0 (char -1)"),
    ('_json.scanstring("abc",9)', "ValueError: end is out of bounds"),
    ("_json.encode_basestring_ascii(1)", "TypeError: first argument must be a string, not int"),
    ('_json.encode_basestring("a\\x00b")', '\'"a\\\\u0000b"\''),
    ("_json.make_scanner", "<class '_json.Scanner'>"),
    ("_json.make_encoder", "<class '_json.Encoder'>"),
    ("_json.scanstring(1,2)", "TypeError: first argument must be a string, not int"),
    ("json.dumps(10**30)", "'1000000000000000000000000000000'"),
    ("json.dumps([1,2],indent=0)", "'[\\n1,\\n2\\n]'"),
    ("json.dumps({})", "'{}'"),
    ('json.dumps("\\ud800")', '\'"\\\\ud800"\''),
    ('json.dumps({"a":1}, sort_keys=True)', '\'{"a": 1}\''),
    ('json.dumps({1:1,"a":2}, sort_keys=True)', "TypeError: '<' not supported between instances of 'str' and 'int'"),
    ('json.loads(b"[1]")', "[1]"),
    ('json.loads("[0.1,123456789012345678,1234567890123456789,-123456789012345678]")', "[0.1, 123456789012345678, 1234567890123456789, -123456789012345678]"),
]

for expression, expected in CASES:
    found = outcome(expression)
    assert found == expected, (expression, found, expected)
