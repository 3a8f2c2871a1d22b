"""Regular expressions: patterns, matches, scanners, substitution; runs on any Python from 3.13 on."""

import copy
import re
import _sre


class Text(str):
    pass


m = re.match("a*", "a" * 100)
n = re.search(r"(?P<x>\d+)-(?P<y>\w+)?(z)?", "ab 12-cd")


def outcome(expression):
    try:
        return repr(eval(expression))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


# What CPython answers.
CASES = [
    ("repr(m)", '"<re.Match object; span=(0, 100), match=\'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa>"'),
    ("re.compile('a',re.I|re.S|re.A|re.X)", "re.compile('a', re.IGNORECASE|re.DOTALL|re.VERBOSE|re.ASCII)"),
    ("re.compile(b'a',re.L)", "re.compile(b'a', re.LOCALE)"),
    ("re.compile('(?u)a')", "re.compile('(?u)a')"),
    ("n.group()", "'12-cd'"),
    ("n.group(0,1,'y')", "('12-cd', '12', 'cd')"),
    ("n['x']", "'12'"),
    ("n[3]", "None"),
    ("n.groups()", "('12', 'cd', None)"),
    ("n.groups('-')", "('12', 'cd', '-')"),
    ("n.groupdict()", "{'x': '12', 'y': 'cd'}"),
    ("n.groupdict(7)", "{'x': '12', 'y': 'cd'}"),
    ("n.span()", "(3, 8)"),
    ("n.span('y')", "(6, 8)"),
    ("n.span(3)", "(-1, -1)"),
    ("n.start(1)", "3"),
    ("n.end(1)", "5"),
    ("n.regs", "((3, 8), (3, 5), (6, 8), (-1, -1))"),
    ("n.lastindex", "2"),
    ("n.lastgroup", "'y'"),
    ("n.pos", "0"),
    ("n.endpos", "8"),
    ("n.string", "'ab 12-cd'"),
    ("n.re", "re.compile('(?P<x>\\\\d+)-(?P<y>\\\\w+)?(z)?')"),
    ("n.expand(r'<\\1|\\g<y>|\\3>')", "'<12|cd|>'"),
    ("m.group('x')", "IndexError: no such group"),
    ("n.group('q')", "IndexError: no such group"),
    ("m.group(1.5)", "IndexError: no such group"),
    ("m.group(2**70)", "IndexError: no such group"),
    ("m[None]", "IndexError: no such group"),
    ("m.start(1,2)", "TypeError: start expected at most 1 argument, got 2"),
    ("re.compile('a').match()", "TypeError: match() missing required argument 'string' (pos 1)"),
    ("re.compile('a').match(1)", "TypeError: expected string or bytes-like object, got 'int'"),
    ("re.compile('a').match(b'')", "TypeError: cannot use a string pattern on a bytes-like object"),
    ("re.compile(b'a').match('')", "TypeError: cannot use a bytes pattern on a string-like object"),
    ("re.sub('a',b'b','aaa')", "TypeError: sequence item 0: expected str instance, bytes found"),
    ("re.sub('a',lambda m:1,'aaa')", "TypeError: sequence item 0: expected str instance, int found"),
    ("re.sub(b'a',lambda m:1,b'xaaa')", "TypeError: sequence item 1: expected a bytes-like object, int found"),
    ("re.sub('a',1,'aaa')", "TypeError: decoding to str: need a bytes-like object, int found"),
    ("m.expand(1)", "TypeError: decoding to str: need a bytes-like object, int found"),
    ("re.compile('a').scanner()", "TypeError: scanner() missing required argument 'string' (pos 1)"),
    ("re.compile('a')==re.compile('a')", "True"),
    ("re.compile('a')!=re.compile('a',re.I)", "True"),
    ("hash(re.compile('a'))==hash(re.compile('a'))", "True"),
    ("re.compile('a').split()", "TypeError: split() missing required argument 'string' (pos 1)"),
    ("re.compile('a').sub('b')", "TypeError: sub() missing required argument 'string' (pos 2)"),
    ("re.Pattern()", "TypeError: cannot create 're.Pattern' instances"),
    ("dict(re.compile('(?P<a>.)').groupindex)", "{'a': 1}"),
    ("re.compile('a').flags", "32"),
    ("re.compile('(a)(b)').groups", "2"),
    ("m.expand('')", "''"),
    ("m.expand(b'')", "b''"),
    ("m.expand(bytearray(b'a'))", "b'a'"),
    ("re.sub('a',bytearray(b'\\\\1'),'x')", "PatternError: invalid group reference 1 at position 1"),
    ("re.compile('a').findall(memoryview(b'abc'))", "TypeError: cannot use a string pattern on a bytes-like object"),
    ("re.compile(b'[ab]').findall(memoryview(b'abc'))", "[b'a', b'b']"),
    ("re.compile(b'[ab]').sub(b'-',bytearray(b'abc'))", "b'--c'"),
    ("_sre.compile(1,2,3,4,5,6)", "TypeError: compile() argument 'code' must be list, not int"),
    ("_sre.compile('a',2,[-1],0,{},())", "OverflowError: can't convert negative value to unsigned int"),
    ("_sre.compile('a',2,['a'],0,{},())", "TypeError: an integer is required"),
    ("_sre.template(re.compile('a'),[])", "TypeError: invalid template"),
    ("_sre.template(re.compile('a'),['a','b','c'])", "TypeError: an integer is required"),
    ("_sre.ascii_iscased('a')", "TypeError: 'str' object cannot be interpreted as an integer"),
    ("re.Match", "<class 're.Match'>"),
    ("_sre.template(re.compile('a'),['a',1,'c']).__class__", "<class '_sre.SRE_Template'>"),
    ("re.compile('a').scanner('').__class__", "<class '_sre.SRE_Scanner'>"),
    ("re.compile('a').finditer('').__class__", "<class 'callable_iterator'>"),
    ("re.findall('a*','baac')", "['', 'aa', '', '']"),
    ("re.findall('(a)|b','ab')", "['a', '']"),
    ("re.findall('(a)|(b)','ab')", "[('a', ''), ('', 'b')]"),
    ("re.split('(,)|;','a,b;c')", "['a', ',', 'b', None, 'c']"),
    ("re.split('x*','axbc')", "['', 'a', '', 'b', 'c', '']"),
    ("re.split(',','a,b,c',maxsplit=1)", "['a', 'b,c']"),
    ("re.sub('x*','-','abxd')", "'-a-b--d-'"),
    ("re.subn('b','[\\\\g<0>]','abcb')", "('a[b]c[b]', 2)"),
    ("re.sub('(.)(.)',r'\\2\\1','abcde')", "'badce'"),
    ("re.sub('a',lambda m: None,'bab')", "'bb'"),
    ("re.sub('a','b','aaaa',count=2)", "'bbaa'"),
    ("[m.span() for m in re.finditer('a*','baac')]", "[(0, 0), (1, 3), (3, 3), (4, 4)]"),
    ("re.fullmatch('a|ab','ab')", "<re.Match object; span=(0, 2), match='ab'>"),
    ("re.compile('b').search('abab',2)", "<re.Match object; span=(3, 4), match='b'>"),
    ("re.compile('b').search('abab',2,3)", "None"),
    ("re.compile('^b').search('ab',1)", "None"),
    ("re.compile('é+').findall('xééyéé')", "['éé', 'éé']"),
    ("re.sub('é','\\U0001F600','aéb')", "'a😀b'"),
    ("re.findall('(?i)STRASSE|ß','straße strasse')", "['ß', 'strasse']"),
    ("re.escape('a.b*c')", "'a\\\\.b\\\\*c'"),
    ("copy.copy(n) is n", "True"),
    ("copy.deepcopy(n) is n", "True"),
    ("re.Pattern[str]", "re.Pattern[str]"),
    ("re.match('(a)(?P<q>b)?','ab').lastgroup", "'q'"),
    ("re.match('(?P<q>a)(b)','ab').lastgroup", "None"),
    ("re.search('(?<=b)c','abc')", "<re.Match object; span=(2, 3), match='c'>"),
    ("re.match('(a+)+$','a'*20+'b')", "None"),
    ("re.sub('(?P<n>a)','<\\\\g<n>>','banana')", "'b<a>n<a>n<a>'"),
    ("re.split(b',',b'a,b')", "[b'a', b'b']"),
    ("re.compile('(').x", "PatternError: missing ), unterminated subpattern at position 0"),
    ("re.compile('a{2,1}')", "PatternError: min repeat greater than max repeat at position 2"),
    ("re.match(r'(?P<a>.)(?(a)b|c)','xb')", "<re.Match object; span=(0, 2), match='xb'>"),
    ("re.sub(r'\\b','|','ab cd')", "'|ab| |cd|'"),
    ("re.sub('','-','abc')", "'-a-b-c-'"),
    ("bool(n)", "True"),
    ("re.purge()", "None"),
    ("type(re.sub('q','',Text('abc')))", "<class 'str'>"),
    ("type(re.match('.*',Text('abc'))[0])", "<class 'str'>"),
    ("re.compile('zz') is copy.copy(re.compile('zz'))", "True"),
    ("[found and found.span() for found in map(lambda s: s.search(), [re.compile('a').scanner('aba')] * 4)]", "[(0, 1), (2, 3), None, None]"),
    ("re.Scanner([(r'\\d+', lambda s, t: int(t)), (r'\\w+', lambda s, t: t), (r'\\s+', None)]).scan('12 ab 3')", "([12, 'ab', 3], '')"),
]

for expression, expected in CASES:
    found = outcome(expression)
    assert found == expected, (expression, found, expected)
