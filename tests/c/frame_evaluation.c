/* A function of C runs frames (PEP 523): it sees each, passes it on, refuses it or answers for it; generators too. */
#include "check.h"

static int seen, thrown;
static const char *answered, *refused;

/* Whether the frame's code has a name. */
static int is_of(_PyInterpreterFrame *frame, const char *name)
{
    PyObject *code = PyUnstable_InterpreterFrame_GetCode(frame);
    CHECK(PyCode_Check(code));
    PyObject *own = PyObject_GetAttrString(code, "co_name");
    Py_DECREF(code);
    CHECK(own);
    int same = PyUnicode_CompareWithASCIIString(own, name) == 0;
    Py_DECREF(own);
    return same;
}

static PyObject *evaluate(PyThreadState *state, _PyInterpreterFrame *frame, int throwflag)
{
    CHECK(state == PyThreadState_Get());
    seen++;
    if (throwflag) {
        CHECK(PyErr_Occurred());
        thrown++;
        return _PyEval_EvalFrameDefault(state, frame, throwflag);
    }
    CHECK(PyUnstable_InterpreterFrame_GetLasti(frame) >= 0);
    CHECK(PyUnstable_InterpreterFrame_GetLine(frame) >= -1);
    if (answered && is_of(frame, answered))
        return PyLong_FromLong(42);
    if (refused && is_of(frame, refused)) {
        PyErr_SetString(PyExc_ValueError, "refused");
        return NULL;
    }
    return _PyEval_EvalFrameDefault(state, frame, throwflag);
}

static long run(PyObject *globals, const char *text)
{
    PyObject *result = PyRun_String(text, Py_eval_input, globals, globals);
    if (!result)
        return -1;
    long value = PyLong_AsLong(result);
    Py_DECREF(result);
    return value;
}

int main(void)
{
    begin();
    PyInterpreterState *interp = PyInterpreterState_Get();
    CHECK(_PyInterpreterState_GetEvalFrameFunc(interp) == _PyEval_EvalFrameDefault);
    PyObject *globals = PyDict_New();
    CHECK(globals);
    PyObject *done = PyRun_String(
        "def leaf(a, b=1, *rest, c=0):\n"
        "    return a + b + c + len(rest)\n"
        "def calls(n):\n"
        "    total = 0\n"
        "    for i in range(n):\n"
        "        total += leaf(i) + leaf(i, c=1) + leaf(*(i, 2, 3))\n"
        "    return total\n"
        "class Thing:\n"
        "    def __init__(self, value):\n"
        "        self.value = value\n"
        "    @property\n"
        "    def twice(self):\n"
        "        return leaf(self.value, self.value)\n"
        "def counts(n):\n"
        "    for i in range(n):\n"
        "        try:\n"
        "            yield leaf(i, 0)\n"
        "        except KeyError:\n"
        "            yield 100\n"
        "def delegates(n):\n"
        "    yield from counts(n)\n"
        "def throws():\n"
        "    it = counts(3)\n"
        "    next(it)\n"
        "    return it.throw(KeyError)\n"
        "def catches():\n"
        "    try:\n"
        "        return leaf(1)\n"
        "    except ValueError as error:\n"
        "        return 7 if str(error) == 'refused' else 8\n",
        Py_file_input, globals, globals);
    CHECK(done);
    Py_DECREF(done);

    long plain[] = {run(globals, "calls(5)"), run(globals, "Thing(4).twice"), run(globals, "sum(counts(4))"),
                    run(globals, "sum(delegates(4))"), run(globals, "throws()")};
    CHECK(seen == 0);
    _PyInterpreterState_SetEvalFrameFunc(interp, evaluate);
    CHECK(_PyInterpreterState_GetEvalFrameFunc(interp) == evaluate);
    /* The expression's own frame, calls' and three leaves in each of five turns. */
    CHECK(run(globals, "calls(5)") == plain[0] && seen == 17);
    seen = 0;
    /* The expression, __init__, the property, the leaf. */
    CHECK(run(globals, "Thing(4).twice") == plain[1] && seen == 4);
    CHECK(run(globals, "sum(counts(4))") == plain[2]);
    CHECK(run(globals, "sum(delegates(4))") == plain[3]);
    CHECK(thrown == 0);
    CHECK(run(globals, "throws()") == plain[4] && plain[4] == 100 && thrown >= 1);

    /* Frames that the loop never runs: their arguments are dropped. */
    answered = "leaf";
    CHECK(run(globals, "leaf(object())") == 42);
    CHECK(run(globals, "calls(1)") == 126);
    CHECK(run(globals, "max(map(leaf, [[1], [2]]))") == 42);
    answered = NULL;
    refused = "leaf";
    CHECK(run(globals, "catches()") == 7);
    CHECK(run(globals, "leaf(object())") == -1);
    RAISED(PyExc_ValueError);
    refused = "counts";
    CHECK(run(globals, "next(counts(2))") == 0 || PyErr_Occurred());
    PyErr_Clear();
    refused = NULL;

    /* A tool that watches, at the same time. */
    CHECK(run(globals, "__import__('sys').settrace(lambda *a: None) or calls(5)") == plain[0]);
    CHECK(run(globals, "__import__('sys').settrace(None) or calls(5)") == plain[0]);
    CHECK(_PyInterpreterState_GetEvalFrameFunc(interp) == evaluate);

    _PyInterpreterState_SetEvalFrameFunc(interp, NULL);
    CHECK(_PyInterpreterState_GetEvalFrameFunc(interp) == _PyEval_EvalFrameDefault);
    seen = 0;
    CHECK(run(globals, "calls(5)") == plain[0] && seen == 0);
    _PyInterpreterState_SetEvalFrameFunc(interp, _PyEval_EvalFrameDefault);
    CHECK(run(globals, "calls(5)") == plain[0] && seen == 0);
    Py_DECREF(globals);
    return end();
}
