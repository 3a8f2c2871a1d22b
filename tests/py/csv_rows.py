"""CSV: dialects, readers and writers; runs on any Python from 3.13 on."""

import csv
import _csv


class Sink:
    def __init__(self):
        self.text = ""

    def write(self, text):
        self.text += text
        return len(text)


def wr(rows, **settings):
    sink = Sink()
    csv.writer(sink, **settings).writerows(rows)
    return sink.text


def outcome(expression):
    try:
        return repr(eval(expression))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


# What CPython answers.
CASES = [
    ("_csv.Dialect(lineterminator=None)", "TypeError: lineterminator must be set"),
    ("_csv.Dialect(quoting=9)", 'TypeError: bad "quoting" value'),
    ("_csv.Dialect(quotechar=None,quoting=1)", "TypeError: quotechar must be set if quoting enabled"),
    ("_csv.Dialect(delimiter='\\n')", "ValueError: bad delimiter value"),
    ("_csv.Dialect(delimiter=',',quotechar=',')", "ValueError: bad delimiter or quotechar value"),
    ("_csv.Dialect(escapechar=' ',skipinitialspace=1)", "ValueError: bad escapechar value"),
    ("_csv.Dialect(lineterminator='!',delimiter='!')", "ValueError: bad delimiter or lineterminator value"),
    ("_csv.Dialect(bad=1)", "TypeError: this function got an unexpected keyword argument 'bad'"),
    ("_csv.reader([],bad=1)", "TypeError: this function got an unexpected keyword argument 'bad'"),
    ("_csv.reader()", "TypeError:  expected at least 1 argument, got 0"),
    ("_csv.reader(1)", "TypeError: 'int' object is not iterable"),
    ("_csv.reader([],1,2)", "TypeError:  expected at most 2 arguments, got 3"),
    ("_csv.reader([],'nope')", "Error: unknown dialect"),
    ("_csv.writer(1)", 'TypeError: argument 1 must have a "write" method'),
    ("_csv.writer(Sink()).writerow(1)", "Error: iterable expected, not int"),
    ("list(_csv.reader([b'a']))", "Error: iterator should return strings, not bytes (the file should be opened in text mode)"),
    ('list(_csv.reader([\',3,"5",7.3\'],quoting=2))', "[['', 3.0, '5', 7.3]]"),
    ('list(_csv.reader([\',3,"",7.3\'],quoting=4))', "[[None, 3.0, '', 7.3]]"),
    ('list(_csv.reader([\',3,"",7.3\'],quoting=5))', "[[None, '3', '', '7.3']]"),
    ('list(_csv.reader([\'"a"b\'],strict=1))', 'Error: \',\' expected after \'"\''),
    ('list(_csv.reader([\'"a\'],strict=1))', "Error: unexpected end of data"),
    ("list(_csv.reader(['a\\rb']))", "Error: new-line character seen in unquoted field - do you need to open the file with newline=''?"),
    ("_csv.register_dialect(1)", "TypeError: dialect name must be a string"),
    ("_csv.register_dialect('a',1,2)", "TypeError:  expected at most 2 arguments, got 3"),
    ("_csv.get_dialect('zz')", "Error: unknown dialect"),
    ("_csv.unregister_dialect('zz')", "Error: unknown dialect"),
    ("_csv.field_size_limit('a')", "TypeError: limit must be an integer"),
    ("_csv.field_size_limit()", "131072"),
    ("_csv.Reader", "<class '_csv.reader'>"),
    ("_csv.Reader()", "TypeError: cannot create '_csv.reader' instances"),
    ("_csv.Dialect", "<class '_csv.Dialect'>"),
    ("_csv.Error.__mro__", "(<class '_csv.Error'>, <class 'Exception'>, <class 'BaseException'>, <class 'object'>)"),
    ("_csv.writer(Sink(),quoting=3).writerow(['a,'])", "Error: need to escape, but no escapechar set"),
    ("_csv.writer(Sink(),quoting=3).writerow([''])", "Error: single empty field record must be quoted"),
    ("_csv.writer(Sink(),delimiter=' ',skipinitialspace=1,quoting=3).writerow(['',''])", "Error: empty field must be quoted if delimiter is a space and skipinitialspace is true"),
    ("_csv.Dialect('excel').delimiter", "','"),
    ("_csv.Dialect(1).delimiter", "','"),
    ("_csv.get_dialect('excel').lineterminator", "'\\r\\n'"),
    ("_csv.writer(Sink()).writerows(1)", "TypeError: 'int' object is not iterable"),
    ('list(csv.reader([\'a,"b""c",d\',\'"x\\n\',\'y",z\',\'\',\'\\\'q\\\'\']))', '[[\'a\', \'b"c\', \'d\'], [\'x\\ny\', \'z\'], [], ["\'q\'"]]'),
    ("list(csv.reader(['a;b'],delimiter=';'))", "[['a', 'b']]"),
    ("list(csv.reader(['a  b'],delimiter=' '))", "[['a', '', 'b']]"),
    ("list(csv.reader(['a, b'],skipinitialspace=True))", "[['a', 'b']]"),
    ("list(csv.reader(['a\\\\,b'],escapechar='\\\\'))", "[['a,b']]"),
    ('list(csv.reader([\'"a\\\\"b"\'],escapechar=\'\\\\\',doublequote=False))', '[[\'a"b\']]'),
    ('wr([[\'a\',1,None,2.5,\'x,y\',\'q"r\',\'l\\nm\',\'\']])', '\'a,1,,2.5,"x,y","q""r","l\\nm",\\r\\n\''),
    ("wr([['a',1,None]],quoting=1)", '\'"a","1",""\\r\\n\''),
    ("wr([['a',1,None]],quoting=2)", '\'"a",1,""\\r\\n\''),
    ("wr([['a',1,None]],quoting=4)", '\'"a",1,\\r\\n\''),
    ("wr([['a',1,None]],quoting=5)", '\'"a","1",\\r\\n\''),
    ('wr([[\'a,b\',\'"\']],quoting=3,escapechar=\'\\\\\')', '\'a\\\\,b,\\\\"\\r\\n\''),
    ('wr([[\'a"b\']],doublequote=False,escapechar=\'\\\\\')', '\'a\\\\"b\\r\\n\''),
    ("wr([[''],[None],[]])", '\'""\\r\\n""\\r\\n\\r\\n\''),
    ("wr([['a\\\\b']],escapechar='\\\\')", "'a\\\\\\\\b\\r\\n'"),
    ("wr([['a','b']],delimiter='\\t',lineterminator='\\n')", "'a\\tb\\n'"),
    ("list(csv.DictReader(['a,b','1,2','3']))", "[{'a': '1', 'b': '2'}, {'a': '3', 'b': None}]"),
    ("csv.list_dialects()", "['excel', 'excel-tab', 'unix']"),
    ("csv.Sniffer().sniff('a;b;c\\nd;e;f\\n').delimiter", "';'"),
    ("list(csv.reader(['x'*200000]))", "Error: field larger than field limit (131072)"),
    ("list(csv.reader(['a\\r\\n','b\\r\\n']))", "[['a'], ['b']]"),
    ("_csv.QUOTE_NOTNULL", "5"),
]

for expression, expected in CASES:
    found = outcome(expression)
    assert found == expected, (expression, found, expected)
