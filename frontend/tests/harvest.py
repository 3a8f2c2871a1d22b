# Prints what this Python says about erroneous snippets found in its own test files.
# One record a line, fields separated by tabs, texts in hexadecimal:
#   mode source class message line column end_line end_column
import ast, doctest, os, sys, sysconfig, textwrap, warnings

warnings.simplefilter("ignore")
FILES = ["test_syntax", "test_exceptions", "test_fstring", "test_eof", "test_string_literals", "test_grammar",
         "test_unpack_ex", "test_named_expressions", "test_positional_only_arg", "test_patma", "test_type_params",
         "test_compile", "test_dictcomps", "test_generators", "test_coroutines", "test_future_stmt/test_future",
         "test_except_star", "test_global", "test_codeop", "test_type_aliases", "test_keywordonlyarg", "test_generator_stop",
         "test_with", "test_funcattrs", "test_scope", "test_listcomps", "test_genexps", "test_unpack", "test_int_literal",
         "test_complex", "test_float", "test_unicode_identifiers", "test_tokenize", "test_decorators", "test_super"]
seen = set()


def record(mode, source):
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    if (mode, source) in seen or len(source) > 3000:
        return
    seen.add((mode, source))
    try:
        source.encode()
        compile(source, "f", mode, dont_inherit=True)
        return
    except SyntaxError as error:
        place = [error.lineno, error.offset, error.end_lineno, error.end_offset]
        fields = [mode, source.encode().hex(), type(error).__name__, error.msg.encode().hex()]
        print("\t".join(fields + [str(n or 0) for n in place]))
    except Exception:
        return


folder = os.path.join(sysconfig.get_path("stdlib"), "test")
for name in FILES:
    path = os.path.join(folder, name + ".py")
    if not os.path.exists(path):
        continue
    tree = ast.parse(open(path, encoding="utf-8").read())
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Constant) and isinstance(node.value, str)) or not node.value.strip():
            continue
        text = node.value
        if ">>> " in text:
            for example in doctest.DocTestParser().get_examples(text):
                record("exec", example.source)
        elif any(c in text for c in "()[]{}=:'\"+-*") or "\n" in text or len(text.split()) < 4:
            record("exec", textwrap.dedent(text))
